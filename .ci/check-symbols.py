# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Reads a symbol graph and fails when a public declaration is undocumented, throws without saying what (a code, or whose
# errors they are), or is awaited without saying what becomes of it when its task is cancelled.

import json
import re
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
    text = "\n".join(lines)
    if "throws" in declaration and not re.search(r"^\s*- Throws:[^-]*?(`\.\w|/Code/|\b[Aa]s |What )", text, re.MULTILINE):
        faults.append(f"{path} does not say what it throws")
    if "async" in declaration and "ancel" not in text and "As `" not in text:
        faults.append(f"{path} does not say what cancelling does")
print(f"docs: {checked} public symbols")
if faults:
    sys.exit("\n".join(faults))
