"""How intrinsic functions become outputs of a stack, and outputs values."""

from samhost.outputs import NO_VALUE, Outputs, resolve


def test_an_intrinsic_function_becomes_an_output_once_and_its_value_later():
    outputs, sub = Outputs(), {"Fn::Sub": "${F.Arn}"}

    deferred = outputs.defer({"a": [sub, "text"], "b": sub})

    [(name, output)] = outputs.declared.items()
    assert output == {"Value": sub}
    assert resolve(deferred, {name: "arn"}) == {"a": ["arn", "text"], "b": "arn"}


def test_an_output_has_the_same_name_as_long_as_it_has_the_same_value():
    one, other, both = Outputs(), Outputs(), Outputs()
    one.defer({"Ref": "A"})
    other.defer({"Ref": "B"})
    both.defer([{"Ref": "B"}, {"Ref": "A"}])

    assert both.declared == other.declared | one.declared
    assert len({one.digest(), other.digest(), both.digest()}) == 3


def test_lists_travel_as_text():
    outputs = Outputs(list_parameters={"Origins"})

    deferred = outputs.defer([{"Ref": "Origins"}, {"Fn::Split": ["|", "a|b"]}])

    assert [output["Value"] for output in outputs.declared.values()] == [
        {"Fn::Join": [",", {"Ref": "Origins"}]},
        {"Fn::Join": [",", {"Fn::Split": ["|", "a|b"]}]},
    ]
    assert resolve(deferred, dict(zip(outputs.declared, ["x,y", "a,b"], strict=True))) == [["x", "y"], ["a", "b"]]


def test_a_condition_chooses_whole_parts():
    outputs = Outputs()
    deferred = outputs.defer({"Fn::If": ["Wanted", {"get": {"uri": {"Ref": "F"}}}, {"put": {}}]})
    condition, reference = outputs.declared

    assert outputs.declared[condition] == {"Value": {"Fn::If": ["Wanted", "true", "false"]}}
    assert resolve(deferred, {condition: "true", reference: "arn"}) == {"get": {"uri": "arn"}}
    assert resolve(deferred, {condition: "false", reference: ""}) == {"put": {}}


def test_what_a_false_condition_hides_need_not_exist():
    outputs = Outputs()

    outputs.defer({"Fn::If": ["A", {"Fn::If": ["B", 1, {"Ref": "F"}]}, 2]}, (("C", True),))

    assert {"Value": {"Fn::If": ["C", {"Fn::If": ["A", {"Fn::If": ["B", "", {"Ref": "F"}]}, ""]}, ""]}} in (
        outputs.declared.values()
    )


def test_no_value_takes_the_property_or_the_item_away():
    outputs = Outputs()
    nothing = {"Ref": "AWS::NoValue"}
    deferred = outputs.defer({"a": nothing, "b": [nothing, 1], "c": {"Fn::If": ["C", nothing, 2]}})
    (condition,) = outputs.declared

    assert resolve(deferred, {condition: "true"}) == {"b": [1]}
    assert resolve(deferred, {condition: "false"}) == {"b": [1], "c": 2}
    assert resolve(outputs.defer(nothing), {}) is NO_VALUE
