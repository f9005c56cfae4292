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

        // Programs of this repository, none of them a product.
        .executableTarget(
            name: "talk",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/talk",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "pipe-to-child",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/pipe-to-child",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "pass-file",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/pass-file",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "share-file",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/share-file",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "worker-pool",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/worker-pool",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "service",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/service",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "echo",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/echo",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "orderly-end",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/orderly-end",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "inspect",
            dependencies: ["Interprocess"],
            path: "Tests/Examples/inspect",
            swiftSettings: strictness
        ),
        .target(
            name: "CBenchmark",
            path: "Tests/Benchmarks/CBenchmark",
            cSettings: [.treatAllWarnings(as: .error)]
        ),
        .executableTarget(
            name: "benchmark",
            dependencies: ["Interprocess", "CBenchmark"],
            path: "Tests/Benchmarks/benchmark",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "test-helper",
            dependencies: ["Interprocess"],
            path: "Tests/Helpers/test-helper",
            swiftSettings: strictness
        ),
        .executableTarget(
            name: "soak",
            dependencies: ["Interprocess"],
            path: "Tests/Soak/soak",
            swiftSettings: strictness
        ),

        .testTarget(
            name: "InterprocessTests",
            dependencies: [
                "Interprocess", "CInterprocess", "test-helper", "talk", "pipe-to-child", "pass-file", "share-file",
                "worker-pool", "service", "inspect", "echo", "orderly-end",
            ],
            swiftSettings: strictness + [
                .define("INTERPROCESS_FAULT_INJECTION", .when(configuration: .debug))
            ]
        ),
    ]
)
