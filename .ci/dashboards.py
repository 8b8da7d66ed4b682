#!/usr/bin/env python3
"""Checks config/grafana: what every dashboard must have, and that each query answers.

    .ci/dashboards.py                                     the files alone
    .ci/dashboards.py --prometheus http://localhost:9090  each query too, against a Prometheus that scrapes a Latido
    .ci/dashboards.py --prometheus URL --complete         each must find data: a department knows its usual, an alert is open

The rules are those of Grafana's dashboard-linter that make sense for one job. That Grafana draws what is meant is not tested.
"""

import argparse
import json
import math
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GRAFANA = ROOT / "config/grafana"

SCHEMA_VERSION = 42
UIDS = {"overview": "latido-overview", "department": "latido-department", "pipeline": "latido-pipeline"}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTED = {"job": 'job=~"$job"', "instance": 'instance=~"$instance"'}
UNITS = {"none", "short", "percentunit", "s", "bytes", "cps", "cpm"}

# Series that a sound Latido may not have yet, each with when. A query may find nothing only if such a series is all that it lacks.
# With --complete nothing may be lacking.
NOT_YET = {
    "latido_baseline_messages_per_hour": "no such hour of such a day was seen yet",
    "latido_baseline_messages_per_hour_low": "no such hour of such a day was seen yet",
    "latido_baseline_messages_per_hour_high": "no such hour of such a day was seen yet",
    "latido_window_adjusted_negative_ratio": "no message in the window, or a model without tables",
    "latido_window_adjusted_negative_ratio_low": "no message in the window, or a model without tables",
    "latido_window_adjusted_negative_ratio_high": "no message in the window, or a model without tables",
    "latido_window_adjusted_frustration_ratio": "no message in the window, or a model without tables",
    "latido_window_adjusted_frustration_ratio_low": "no message in the window, or a model without tables",
    "latido_window_adjusted_frustration_ratio_high": "no message in the window, or a model without tables",
    "latido_topic_partitions": "the brokers did not tell yet",
}

# What Grafana would put in place of a variable. The longer names first.
VARIABLES = {
    "$__rate_interval": "5m",
    "$__interval": "15s",
    "$__range": "1h",
    "$department": ".+",
    "$instance": ".+",
    "$job": ".+",
}

FUNCTIONS_OF_COUNTERS = r"(?:rate|irate|increase)"
SERIES = re.compile(r"\b(?:latido_|process_|scrape_|up\b)\w*")
# A budget of false alarms is one of 28 days: so is what is held against it.
SPANS = ("$__rate_interval", "28d")
RANGE_S = 600
STEP_S = 15
# What makes a panel show 0 where nothing is found; it would hide that nothing is found.
OR_ZERO = " or vector(0)"
# What leaves of alerts those that are open: of the company, none in most incidents.
IF_OPEN = " == 1"


class Dashboard:
    def __init__(self, path):
        self.path = path
        self.json = json.loads(path.read_text())
        self.problems = []

    def name(self):
        return self.path.stem

    def wrong(self, what):
        self.problems.append(f"{self.name()}: {what}")

    def want(self, holds, what):
        if not holds:
            self.wrong(what)

    def panels(self):
        """Every panel that shows something."""
        for panel in self.json["panels"]:
            if panel["type"] == "row":
                yield from panel["panels"]
            else:
                yield panel

    def queries(self):
        """Panel, name and text of each query."""
        for panel in self.panels():
            for target in panel.get("targets", []):
                yield panel, target["refId"], target

    def variable(self, name):
        found = [one for one in self.json["templating"]["list"] if one["name"] == name]
        self.want(len(found) == 1, f"{len(found)} variables named `{name}`")
        return found[0] if found else {}


def selectors(query):
    """Each series of a query with its matchers."""
    for match in re.finditer(r"\b([a-z_]\w*)\{([^}]*)\}", query):
        yield match[1], match[2]


def lint_variables(board):
    datasource = board.variable("datasource")
    board.want(datasource.get("type") == "datasource", "`datasource` is no variable of type datasource")
    board.want(datasource.get("query") == "prometheus", "`datasource` does not offer those of Prometheus")
    board.want(datasource.get("label") == "Data source", "`datasource` has no label `Data source`")
    for name, label in [("job", "Job"), ("instance", "Instance")]:
        variable = board.variable(name)
        board.want(variable.get("label") == label, f"`{name}` has no label `{label}`")
        board.want(variable.get("type") == "query", f"`{name}` is no query")
        board.want(variable.get("datasource") == DATASOURCE, f"`{name}` does not ask `$datasource`")
        board.want(variable.get("multi") is True, f"`{name}` cannot take several")
        board.want(variable.get("includeAll") is True, f"`{name}` cannot take all")
        board.want(variable.get("allValue") == ".+", f"all of `{name}` are not `.+`")
    for variable in board.json["templating"]["list"]:
        if variable["type"] == "query":
            query, name = variable["query"]["query"], variable["name"]
            board.want(query.startswith("label_values("), f"`{name}` is no label_values")
            board.want(variable["definition"] == query, f"`{name}` is defined as something else")
            board.want(variable["refresh"] == 2, f"`{name}` is not looked up when the time range changes")
            if name == "instance":
                board.want(SELECTED["job"] in query, f"`{name}` does not heed $job")


def lint_query(board, where, query):
    found = list(selectors(query))
    named = SERIES.findall(query)
    board.want(bool(found) and len(found) == len(named), f"{where}: a series without matchers in {query}")
    for series, matchers in found:
        for label, matcher in SELECTED.items():
            board.want(matcher in matchers, f"{where}: {series} without {matcher}")
        if series.endswith(("_total", "_bucket", "_count", "_sum")):
            counted = re.search(FUNCTIONS_OF_COUNTERS + r"\(" + re.escape(series) + r"\{", query)
            board.want(counted, f"{where}: the counter {series} without rate or increase")
    for span in re.findall(FUNCTIONS_OF_COUNTERS + r"\([^][]*\[([^]]*)\]", query):
        board.want(span in SPANS, f"{where}: a rate over {span} in place of $__rate_interval")
    for variable in re.findall(r"\$\{?\w+\}?", query):
        board.want(variable in VARIABLES, f"{where}: {variable} is no variable of a query")
    board.want(query.count("(") == query.count(")"), f"{where}: brackets that do not match in {query}")


def lint_panels(board):
    ids, titles, taken = set(), set(), {}
    for panel in board.json["panels"]:
        place, number = panel["gridPos"], panel["id"]
        board.want(number not in ids, f"two panels with the id {number}")
        ids.add(number)
        board.want(place["x"] + place["w"] <= 24, f"{panel['title']}: wider than the screen")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                board.want((x, y) not in taken, f"{panel['title']} covers {taken.get((x, y))}")
                taken[x, y] = panel["title"]
    for panel in board.panels():
        title = panel.get("title", "")
        board.want(title, f"panel {panel['id']} without a title")
        board.want(title not in titles, f"two panels `{title}`")
        titles.add(title)
        board.want(panel.get("description", "").endswith("."), f"{title}: no description")
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        board.want(defaults.get("unit") in UNITS, f"{title}: the unit {defaults.get('unit')}")
        board.want(panel.get("datasource") == DATASOURCE, f"{title}: a data source of its own")
        board.want(panel.get("targets"), f"{title}: no query")
    for panel, name, target in board.queries():
        where = f"{panel['title']} / {name}"
        board.want(target.get("datasource") == DATASOURCE, f"{where}: a data source of its own")
        board.want(target["instant"] != target["range"], f"{where}: neither instant nor range, or both")
        lint_query(board, where, target["expr"])
    for annotation in board.json["annotations"]["list"]:
        where = f"annotation {annotation['name']}"
        board.want(annotation["datasource"] == DATASOURCE, f"{where}: a data source of its own")
        lint_query(board, where, annotation["expr"])


def lint(board):
    text = board.path.read_text()
    stable = json.dumps(board.json, indent=2, ensure_ascii=False) + "\n"
    board.want(text == stable, "not formatted as `json.dumps(indent=2, ensure_ascii=False)` would")
    board.want(board.json.get("uid") == UIDS.get(board.name()), f"the uid {board.json.get('uid')}")
    board.want(board.json.get("editable") is False, "editable")
    board.want(board.json.get("schemaVersion") == SCHEMA_VERSION, f"schemaVersion {board.json.get('schemaVersion')}")
    board.want("id" not in board.json, "an id, which is a database's")
    board.want(board.json.get("title") and board.json.get("description"), "no title, or no description")
    for target in re.findall(r'"url": "/d/([\w-]+)/', text):
        board.want(target in UIDS.values(), f"a link to {target}, which is not here")
    lint_variables(board)
    lint_panels(board)
    return board.problems


def lint_links_of_rules():
    """`dashboard_url` of every alert leads to a dashboard, by variables that it has."""
    boards = {uid: json.loads((GRAFANA / f"dashboards/{name}.json").read_text()) for name, uid in UIDS.items()}
    for path in sorted((ROOT / "config/prometheus/rules").glob("*.yml")):
        text = path.read_text()
        alerts, urls = text.count("- alert: "), re.findall(r"dashboard_url: /d/([\w-]+)/[\w-]+(.*)", text)
        if alerts != len(urls):
            yield f"{path.name}: {alerts} alerts, {len(urls)} links to dashboards"
        for uid, rest in urls:
            known = {one["name"] for one in boards[uid]["templating"]["list"]} if uid in boards else set()
            for name in re.findall(r"var-(\w+)=", rest):
                if name not in known:
                    yield f"{path.name}: {uid} has no variable `{name}`"
            if uid not in boards:
                yield f"{path.name}: no dashboard {uid}"


class Prometheus:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def api(self, path, **parameters):
        """The data of an answer; what Prometheus says is wrong as an error."""
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", body, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", error)) from error

    def finds(self, text, is_instant):
        """Whether a query finds a number: what is not a number is no data."""
        now = time.time()
        if is_instant:
            found = self.api("query", query=text, time=now)["result"]
        else:
            found = self.api("query_range", query=text, start=now - RANGE_S, end=now, step=STEP_S)["result"]
        samples = (sample for series in found for sample in series.get("values", [series.get("value")]))
        return any(math.isfinite(float(value)) for _, value in samples)

    def has(self, selector):
        """Whether there were such series in the range that is shown."""
        now = time.time()
        return bool(self.api("series", **{"match[]": selector}, start=now - RANGE_S, end=now))


def filled(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def not_yet(query, prometheus):
    """Why a query may find nothing: the reasons of the series that it lacks, if each of them has one."""
    series = {(name, f"{name}{{{matchers}}}") for name, matchers in selectors(query)}
    lacking = {name for name, selector in series if not prometheus.has(selector)}
    if lacking and lacking <= NOT_YET.keys():
        return "; ".join(f"{name}: {NOT_YET[name]}" for name in sorted(lacking))
    return None


def ask_panels(board, prometheus, is_complete):
    for panel, name, target in board.queries():
        where = f"{board.name()} / {panel['title']} / {name}"
        query = filled(target["expr"])
        if is_complete:
            query = query.removesuffix(OR_ZERO)
        try:
            if prometheus.finds(query, target["instant"]):
                continue
            if not is_complete and (reason := not_yet(query, prometheus)):
                print(f"nothing found yet: {where}: {reason}")
            else:
                yield f"{where}: nothing found: {query}"
        except ValueError as error:
            yield f"{where}: {error}: {query}"


def ask_annotations(board, prometheus):
    for annotation in board.json["annotations"]["list"]:
        where = f"{board.name()} / annotation {annotation['name']}"
        query = filled(annotation["expr"]).removesuffix(IF_OPEN)
        try:
            if not prometheus.finds(query, False):
                yield f"{where}: nothing found: {query}"
        except ValueError as error:
            yield f"{where}: {error}: {query}"


def ask_variables(board, prometheus):
    for variable in board.json["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            if not any(label in one for one in prometheus.api("series", **{"match[]": filled(series)})):
                yield f"{board.name()} / variable {variable['name']}: nothing found: {series}"


def ask(board, prometheus, is_complete):
    """Runs every query; yields what is wrong. Says what was empty and may be."""
    yield from ask_panels(board, prometheus, is_complete)
    yield from ask_annotations(board, prometheus)
    yield from ask_variables(board, prometheus)
    print(f"{board.name()}: {sum(1 for _ in board.queries())} queries of panels asked")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", metavar="URL", help="run every query against this Prometheus")
    parser.add_argument("--complete", action="store_true", help="take nothing for not there yet")
    arguments = parser.parse_args()
    if arguments.complete and not arguments.prometheus:
        parser.error("--complete is about queries: name a --prometheus")
    boards = [Dashboard(path) for path in sorted((GRAFANA / "dashboards").glob("*.json"))]
    problems = [] if {board.name() for board in boards} == set(UIDS) else [f"not the dashboards {sorted(UIDS)}"]
    for board in boards:
        problems += lint(board)
        queries = sum(1 for _ in board.queries())
        print(f"{board.name()}: {sum(1 for _ in board.panels())} panels, {queries} queries")
    problems += lint_links_of_rules()
    named = {series for board in boards for *_, target in board.queries() for series in SERIES.findall(target["expr"])}
    problems += [f"NOT_YET names {one}, which no panel asks for" for one in sorted(NOT_YET.keys() - named)]
    if arguments.prometheus and not problems:
        for board in boards:
            problems += ask(board, Prometheus(arguments.prometheus), arguments.complete)
    for problem in problems:
        print(f"FAIL {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
