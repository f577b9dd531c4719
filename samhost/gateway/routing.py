"""Which route of an API takes a request."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from samhost.gateway.authorizer_settings import CognitoSettings, JwtSettings, LambdaAuthorizerSettings
from samhost.gateway.errors import ConfigurationError
from samhost.gateway.mapping.changes import RequestChanges, ResponseChanges
from samhost.gateway.service_target import ServiceTarget
from samhost.gateway.targets import HttpTarget, LambdaTarget, NotEmulatedTarget

DEFAULT = "$default"
ANY = "ANY"
_LITERAL, _VARIABLE, _GREEDY = range(3)
_VARIABLE_SEGMENT = re.compile(r"\{([^{}+]+)(\+?)\}")


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and a path template, or `$default`; who may call it, and what answers."""

    method: str
    path: str
    target: LambdaTarget | HttpTarget | ServiceTarget | NotEmulatedTarget
    authorizer: JwtSettings | LambdaAuthorizerSettings | CognitoSettings | None = None
    scopes: tuple[str, ...] = ()
    request_changes: RequestChanges = field(default_factory=RequestChanges)
    response_changes: ResponseChanges = field(default_factory=ResponseChanges)

    @property
    def is_default(self) -> bool:
        """Whether this is `$default`, which takes what no other route does."""
        return self.path == DEFAULT

    @property
    def key(self) -> str:
        """The route key, such as `GET /pets/{petId}`."""
        return DEFAULT if self.is_default else f"{self.method} {self.path}"


class Match(NamedTuple):
    """A route, and the values of its path variables."""

    route: Route
    parameters: dict[str, str]


class _Segment(NamedTuple):
    rank: int
    text: str  # the literal, or the variable's name


class Router:
    """Picks the most specific route: a full match, then a greedy one, then `$default` [doc].

    Among several, segments count from left to right, a literal before `{v}` before `{v+}` [emu]; on the same path an
    exact method comes before ANY [doc]. Variables take at least one character, `{v+}` at least one segment [emu]. A
    trailing slash makes another path [inf].
    """

    def __init__(self, routes: list[Route]):
        """Order the routes; raises ConfigurationError for two that no request could tell apart."""
        defaults = [route for route in routes if route.is_default]
        if len(defaults) > 1:
            raise ConfigurationError("There is more than one $default route")
        self._default = defaults[0] if defaults else None
        ordered = sorted(((_segments(route.path), route) for route in routes if not route.is_default), key=_specificity)
        seen: dict[tuple, Route] = {}
        for segments, route in ordered:
            shape = (route.method, *((s.rank, s.text if s.rank == _LITERAL else "") for s in segments))
            if shape in seen:
                raise ConfigurationError(f"The routes {seen[shape].key} and {route.key} take the same requests")
            seen[shape] = route
        self._routes = ordered

    def match(self, method: str, path: str) -> Match | None:
        """The route for a method and a percent-decoded path without the stage; None where there is none."""
        parts = path.split("/")[1:]
        for segments, route in self._routes:
            if route.method in (method, ANY) and (parameters := _bind(segments, parts)) is not None:
                return Match(route, parameters)
        return Match(self._default, {}) if self._default else None


class ResourceRouter(Router):
    """Picks a resource, as REST APIs call a path, and only then its method: one that it lacks, no other has [inf].

    A slash at the end means nothing [obs]: https://github.com/aws-powertools/powertools-lambda-python/issues/1552
    """

    def match(self, method: str, path: str) -> Match | None:
        """The route for a method and a percent-decoded path without the stage; None where there is none."""
        parts = path.rstrip("/").split("/")[1:] or [""]
        resource = None
        for segments, route in self._routes:
            if resource is not None and route.path != resource:
                return None
            if (parameters := _bind(segments, parts)) is not None:
                if route.method in (method, ANY):
                    return Match(route, parameters)
                resource = route.path
        return None


def path_variables(path: str) -> set[str]:
    """The names of a path template's variables."""
    return {segment.text for segment in _segments(path) if segment.rank != _LITERAL}


def _segments(path: str) -> list[_Segment]:
    segments = []
    for text in path.split("/")[1:]:
        variable = _VARIABLE_SEGMENT.fullmatch(text)
        if variable is None:
            segments.append(_Segment(_LITERAL, text))
        else:
            segments.append(_Segment(_GREEDY if variable[2] else _VARIABLE, variable[1]))
    if any(segment.rank == _GREEDY for segment in segments[:-1]):
        raise ConfigurationError(f"In the path {path} a greedy variable is not the last segment")
    return segments


def _specificity(entry: tuple[list[_Segment], Route]) -> tuple:
    segments, route = entry
    ranks = [segment.rank for segment in segments]
    return _GREEDY in ranks, ranks, route.method == ANY


def _bind(segments: list[_Segment], parts: list[str]) -> dict[str, str] | None:
    parameters = {}
    for index, segment in enumerate(segments):
        if index >= len(parts):
            return None
        if segment.rank == _GREEDY:
            rest = "/".join(parts[index:])
            return parameters | {segment.text: rest} if rest else None
        if segment.rank == _LITERAL:
            if parts[index] != segment.text:
                return None
        elif not parts[index]:
            return None
        else:
            parameters[segment.text] = parts[index]
    return parameters if len(parts) == len(segments) else None
