# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Reads a symbol graph and fails when a public declaration is undocumented, or throws without saying what.

import json
import sys

graph = json.load(open(sys.argv[1]))
faults = []
checked = 0
for symbol in graph["symbols"]:
    path = ".".join(symbol["pathComponents"])
    # What the compiler writes for a conformance has the documentation of the protocol's requirement, and no place.
    if "::SYNTHESIZED::" in symbol["identifier"]["precise"] or "location" not in symbol:
        continue
    checked += 1
    lines = [line["text"] for line in symbol.get("docComment", {}).get("lines", [])]
    if not lines:
        faults.append(f"{path} is not documented")
    declaration = [fragment["spelling"] for fragment in symbol.get("declarationFragments", [])]
    if "throws" in declaration and not any(line.lstrip().startswith("- Throws:") for line in lines):
        faults.append(f"{path} does not say what it throws")
print(f"docs: {checked} public symbols")
if faults:
    sys.exit("\n".join(faults))
