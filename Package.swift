// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT OR Apache-2.0

import PackageDescription

/// Held to in this package's own builds; SwiftPM suppresses warnings of a package that is a dependency.
let strictness: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The folders of `Tests/Examples`.
let examples = [
    "talk", "echo", "chat", "pipe-to-child", "pass-file", "share-file", "worker-pool", "service", "orderly-end",
    "pipe-messages", "inspect",
]

/// A program of this repository, which is no product.
func program(_ name: String, in folder: String, dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["Interprocess"] + dependencies,
        path: "Tests/\(folder)/\(name)",
        swiftSettings: strictness
    )
}

let package = Package(
    name: "interprocess",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11)],
    products: [
        .library(name: "Interprocess", targets: ["Interprocess"])
    ],
    targets: [
        .target(
            name: "CInterprocess",
            cSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("advapi32", .when(platforms: [.windows]))]
        ),
        .target(
            name: "Interprocess",
            dependencies: ["CInterprocess"],
            swiftSettings: strictness + [
                .strictMemorySafety(),
                .define("INTERPROCESS_FAULT_INJECTION", .when(configuration: .debug)),
            ]
        ),

        program("test-helper", in: "Helpers"),
        program("benchmark", in: "Benchmarks", dependencies: ["CBenchmark"]),
        .target(
            name: "CBenchmark",
            path: "Tests/Benchmarks/CBenchmark",
            cSettings: [.treatAllWarnings(as: .error)]
        ),
        program("soak", in: "Soak"),

        .testTarget(
            name: "InterprocessTests",
            dependencies: ["Interprocess", "CInterprocess", "test-helper"] + examples.map { .byName(name: $0) },
            swiftSettings: strictness + [
                .define("INTERPROCESS_FAULT_INJECTION", .when(configuration: .debug))
            ]
        ),
    ] + examples.map { program($0, in: "Examples") }
)
