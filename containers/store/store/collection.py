"""The kinds of items that this image can keep; each is a service of its own, with a table of its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collection:
    """Items below `path`; in each of them, its id is called `id_name`."""

    path: str
    id_name: str


COLLECTIONS = {
    "foods": Collection("/foodstore/foods", "foodId"),
    "pets": Collection("/petstore/pets", "petId"),
}
