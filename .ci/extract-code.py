# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Writes a package that depends on this one, with a program for each Swift code block of the README and of the library's doc
# comments. Blocks that begin with "// Package.swift" are parts of a manifest, and are compared with what this one uses.

import pathlib
import re
import sys

root, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
blocks = []
for source in [root / "README.md", *sorted((root / "Sources").rglob("*.swift")), *sorted((root / "Sources").rglob("*.md"))]:
    text = source.read_text()
    if source.suffix == ".swift":
        text = "\n".join(line.strip()[3:].removeprefix(" ") for line in text.split("\n") if line.strip().startswith("///"))
    found = re.findall(r"^```swift\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    # What is Windows' is left out where this does not run there.
    if "Windows" in source.parts:
        found = [f"#if os(Windows)\n{block}#endif\n" for block in found]
    blocks += found

product = '.product(name: "Interprocess", package: "interprocess")'
targets = []
for number, block in enumerate(blocks):
    if block.startswith("// Package.swift"):
        if product not in block:
            sys.exit(f"the manifest's part in the README does not name the product as it is: {product}")
        continue
    folder = target / "Sources" / f"block{number}"
    folder.mkdir(parents=True)
    if "import Interprocess" not in block:
        block = "import Interprocess\n" + block
    (folder / "main.swift").write_text(block)
    targets.append(f'.executableTarget(name: "block{number}", dependencies: [{product}])')
(target / "Package.swift").write_text(
    "// swift-tools-version: 6.2\nimport PackageDescription\n"
    'let package = Package(name: "user", platforms: [.macOS(.v15)], '
    f'dependencies: [.package(name: "interprocess", path: "{root}")], targets: [{", ".join(targets)}])\n'
)
