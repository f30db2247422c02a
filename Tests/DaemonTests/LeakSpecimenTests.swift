import TestSupport
import Testing

/// One zoo for all the tests of a suite.
struct OneZoo: SuiteTrait, TestScoping {
  @TaskLocal static var current: Zoo?

  static let needs = Programs.isRoot && Programs.has("unshare", "chromium", "chromedriver")

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let zoo = try Zoo()
    defer { zoo.close() }
    try await Self.$current.withValue(zoo) { try await function() }
  }
}

/// That each specimen is what it claims to be, and remains so while nobody does anything about it.
@Suite(
  OneZoo(), .enabled(if: OneZoo.needs, "needs root, unshare(1), and Debian: chromium chromium-driver chromium-headless-shell"))
struct LeakSpecimenTests {
  @Test(arguments: (LeakSpecimen.leaks + LeakSpecimen.helpers + LeakSpecimen.innocents + [.impostor]).filter(\.isThere))
  func aSpecimenIsWhatItClaimsToBe(_ specimen: LeakSpecimen) async throws {
    let zoo = try #require(OneZoo.current)
    let cage = try Cage(zoo, user: specimen.user)
    try await zoo.threeAtOnce.take {
      try await specimen.begin(cage)
      try await specimen.turn(cage)
      try await cage.reach(specimen.proof)
    }
    let before = try cage.scene()
    let left = await cage.reaches(within: 3) { !specimen.proof($0) }
    let after = try cage.scene()
    #expect(!left, "\(before)\nbecame\n\(after)")
    for role in specimen.goes { #expect(after[role] != nil, "\(role)") }
  }
}
