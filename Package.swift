// swift-tools-version: 6.3
import PackageDescription

/// What every Swift target of ours is built with.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .treatAllWarnings(as: .error),
]

/// What the daemon's own path is built with on top: every unsafe expression is marked, no
/// existential, no untyped throw.
let daemon: [SwiftSetting] =
  strict + [
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    .treatWarning("ExistentialType", as: .error),
    .treatWarning("EmbeddedRestrictions", as: .error),
  ]

let package = Package(
  name: "midwatch",
  products: [
    .executable(name: "midwatchd", targets: ["midwatchd"]),
    .executable(name: "midwatch", targets: ["midwatch"]),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "Rules", swiftSettings: daemon),
    .target(name: "Formats", dependencies: ["Rules"], swiftSettings: daemon),
    .target(name: "ProcessTable", swiftSettings: daemon),
    .target(name: "Configuration", dependencies: ["Rules"], swiftSettings: daemon),
    .target(name: "Kernel", dependencies: ["CLinux", "Rules"], swiftSettings: daemon),
    .target(
      name: "Daemon",
      dependencies: ["Configuration", "Formats", "Kernel", "ProcessTable", "Rules"],
      swiftSettings: daemon),
    .executableTarget(
      name: "midwatchd", dependencies: ["Configuration", "Daemon", "Formats", "Kernel"], swiftSettings: daemon),
    .executableTarget(
      name: "midwatch",
      dependencies: ["Configuration", "Daemon", "Formats", "Kernel", "Rules"], swiftSettings: strict),
    // Not released: what midwatch costs, each figure beside a reference in C.
    .target(
      name: "CBench",
      linkerSettings: [
        // Counts allocations, the Swift runtime's own too, where the link is static.
        .unsafeFlags(
          ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"].flatMap { ["-Xlinker", "--wrap=\($0)"] })
      ]),
    .executableTarget(
      name: "midwatch-bench",
      dependencies: ["CBench", "Configuration", "Daemon", "Formats", "Kernel", "ProcessTable", "Rules"],
      swiftSettings: strict),
    .testTarget(name: "RulesTests", dependencies: ["Rules"], swiftSettings: strict),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "Rules", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "ProcessTableTests", dependencies: ["ProcessTable"], swiftSettings: strict),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "Rules"], swiftSettings: strict),
    .target(name: "CContention", path: "Tests/CContention"),
    .testTarget(name: "KernelTests", dependencies: ["Kernel", "Rules", "TestSupport"], swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "DaemonTests",
      dependencies: [
        "Daemon", "Kernel", "ProcessTable", "Rules", "CContention", "Configuration", "Formats", "TestSupport", "midwatchd",
      ],
      swiftSettings: strict),
    .testTarget(name: "CommandTests", dependencies: ["TestSupport", "midwatch", "midwatchd"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)

// Tests/Fuzz/run says so: without libFuzzer's main this target cannot be linked.
if Context.environment["MIDWATCH_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "midwatch-fuzz", dependencies: ["Configuration", "Formats", "Kernel", "ProcessTable", "Rules"],
      path: "Tests/Fuzz", exclude: ["run"], swiftSettings: strict))
}
