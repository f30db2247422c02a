import Configuration
import Testing

@Suite struct PathTemplateTests {
  /// What a template finds in a path: `agent/task`, each empty where not named; nil: no match.
  func found(_ template: String, _ path: String) throws -> String? {
    let bytes = Array(path.utf8)
    guard let captures = try PathTemplate(template).match(bytes.span.bytes) else { return nil }
    func text(_ range: Range<Int>?) -> String { range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? "" }
    return text(captures.agent) + "/" + text(captures.task)
  }

  @Test(arguments: [
    ("outputs/{agent}/**", "outputs/seo/x", "seo/"), ("outputs/{agent}/**", "outputs/seo/a/b/c", "seo/"),
    ("tasks/{task}.lock", "tasks/t1.lock", "/t1"), ("tasks/{task}.lock", "tasks/.lock.lock", "/.lock"),
    ("**/{agent}.hb", "seo.hb", "seo/"), ("**/{agent}.hb", "a/b/seo.hb", "seo/"), ("a/**/b", "a/b", "/"),
    ("a/**/b", "a/x/b/y/b", "/"), ("a/**/b/**/c", "a/x/b/c", "/"), ("a/**/b/**/c", "a/b/x/b/y/c", "/"),
    ("{agent}-{task}.lock", "a-b-c.lock", "a/b-c"), ("x{agent}y", "xyy", "y/"), ("*-{agent}", "a-b-c", "b-c/"),
    ("*.d/{agent}", ".d/x", "x/"), ("/var/{agent}/*", "var/seo/x", "seo/"), ("~/.oc/{agent}/s/*.lock", ".oc/q/s/.lock", "q/"),
    ("**/{agent}/in/**", "x/a/in/b", "a/"), ("a?b/[x]", "a?b/[x]", "/"), ("a}/{agent}", "a}/q", "q/"), ("*/x", "/x", "/"),
  ])
  func finds(template: String, path: String, captures: String) throws {
    #expect(try found(template, path) == captures)
  }

  @Test(arguments: [
    ("outputs/{agent}/**", "outputs/seo"), ("outputs/{agent}/**", "outputs"), ("outputs/{agent}/**", "output/seo/x"),
    ("tasks/{task}.lock", "tasks/.lock"), ("tasks/{task}.lock", "tasks/x.lockx"), ("tasks/{task}.lock", "tasks/a/x.lock"),
    ("a/**/b", "a"), ("a/**/b", "a/bc"), ("x{agent}y", "xy"), ("{agent}-{task}", "-x"), ("{agent}-{task}", "x-"),
    ("a", ""), ("**", ""), ("a/b", "a"), ("ab*ba", "aba"),
  ])
  func findsNothing(template: String, path: String) throws {
    #expect(try found(template, path) == nil)
  }

  @Test func aNamePatternTellsWhereTheNamesStand() throws {
    guard case .pattern(let pattern) = try PathTemplate("x/{task}@{agent}.lock").components.last else {
      Issue.record("no pattern")
      return
    }
    let name = Array("t1@seo.lock".utf8)
    #expect(pattern.match(name.span.bytes) == NamePattern.Captures(agent: 3..<6, task: 0..<2))
  }

  @Test func theFixedPartIsWhatComesBeforeTheFirstWildcard() throws {
    #expect(try PathTemplate("outputs/{agent}/**").fixedCount == 1)
    #expect(try PathTemplate("/a/b/c/*.lock").fixedCount == 3)
    #expect(try PathTemplate("**/x").fixedCount == 0)
    #expect(try PathTemplate("a/b").fixedCount == 2)
    #expect(try PathTemplate("/a/*").isAbsolute)
    #expect(try PathTemplate("~/a/*").isHome)
    #expect(try PathTemplate("~/a/b").components == [.literal(Array("a".utf8)), .literal(Array("b".utf8))])
    #expect(try PathTemplate("{agent}/x").namesAgent)
    #expect(try PathTemplate("{task}/x").namesTask)
  }

  @Test(arguments: [
    ("", "a path is empty; write one such as outputs/{agent}/**", 0),
    ("a/../b", "'a/../b' goes through '..'; write the path without it", 2),
    ("./a", "'./a' goes through '.'; write the path without it", 0),
    ("a//b", "'a//b' has two slashes in a row; write one", 2),
    ("//a", "'//a' has two slashes in a row; write one", 1),
    ("a/", "'a/' ends in a slash; write a/** for everything below it", 2),
    ("/", "'/' names no file; write what to look at below it", 0),
    ("~/", "'~/' names no file; write what to look at below it", 0),
    ("~", "only ~/ is understood, the home of the pipeline root's owner; write another user's home in full", 0),
    ("~bob/x", "only ~/ is understood, the home of the pipeline root's owner; write another user's home in full", 0),
    ("a/x**", "** stands for whole directories and so alone between slashes; write * for a part of one name", 3),
    ("a/**/**", "two ** in a row say no more than one; write one", 5),
    ("{agent}/{agent}", "{agent} stands twice; write it once, and * for the other", 8),
    ("{task}-{task}", "{task} stands twice; write it once, and * for the other", 7),
    ("a/{other}", "'{other}' is unknown; did you mean {agent} or {task}?", 2),
    ("a/{}", "'{}' is unknown; did you mean {agent} or {task}?", 2),
    ("a/{agent", "a { is opened and not closed; write {agent} or {task}", 2),
    ("{agent/}", "a { is opened and not closed; write {agent} or {task}", 0),
    (
      "{agent}*", "nothing stands between two wildcards, so that nobody can tell where one ends; put a character between them",
      7
    ),
    ("a\0b", "a path cannot hold a NUL", 1),
  ])
  func whatCannotBeATemplateIsRefused(text: String, sentence: String, offset: Int) {
    do throws(Fault) {
      _ = try PathTemplate(text)
      Issue.record("taken: \(text)")
    } catch {
      #expect(error == Fault(at: offset, sentence))
    }
  }

  @Test func whatNoFileSystemHoldsIsRefused() {
    let long = String(repeating: "x", count: 256)
    #expect(
      refusal { () throws(Fault) in try PathTemplate("a/" + long) }
        == "a name is longer than 255 bytes, and no file has such a name")
    #expect(
      refusal { () throws(Fault) in try PathTemplate(String(repeating: "xy/", count: 2000) + "z") }
        == "a path is longer than 4095 bytes, and no file has such a path")
  }

  @Test(arguments: 0..<8) func agreesWithTheObviousRecursion(seed: UInt64) throws {
    func obvious(_ t: ArraySlice<String>, _ p: ArraySlice<String>) -> Bool {
      guard let first = t.first else { return p.isEmpty }
      if first == "**" {
        if t.count == 1 { return !p.isEmpty }
        return obvious(t.dropFirst(), p) || (!p.isEmpty && obvious(t, p.dropFirst()))
      }
      guard let name = p.first else { return false }
      let fits =
        first == "*" || first == name || (first == "a*" && name.hasPrefix("a")) || (first == "*b" && name.hasSuffix("b"))
      return fits && obvious(t.dropFirst(), p.dropFirst())
    }
    var dice = Dice(seed + 1)
    for _ in 0..<1000 {
      let template = (0..<Int.random(in: 1...5, using: &dice)).map { _ in
        ["a", "b", "*", "**", "a*", "*b"].randomElement(using: &dice)!
      }
      guard !zip(template, template.dropFirst()).contains(where: { $0 == "**" && $1 == "**" }) else { continue }
      let path = (0..<Int.random(in: 1...6, using: &dice)).map { _ in ["a", "b", "ab", "ba"].randomElement(using: &dice)! }
      let joined = template.joined(separator: "/")
      #expect(try (found(joined, path.joined(separator: "/")) != nil) == obvious(template[...], path[...]), "\(joined) \(path)")
    }
  }

  @Test(
    arguments: [
      (".*", "outputs/seo/.git/config", true), ("*.tmp", "outputs/seo/x.tmp", true), ("outputs", "outputs/seo/x", false),
      ("node_modules", "outputs/seo/a/node_modules/b/c", true), ("outputs/seo/cache", "outputs/seo/cache/x/y", true),
      ("outputs/*/cache", "outputs/seo/caches", false), ("outputs/**/raw", "outputs/seo/a/raw/x", true),
      ("x", "outputs/x", true),
    ] as [(String, String, Bool)])
  func anIgnoredNameOrPlaceHidesAllBelowIt(pattern: String, path: String, ignored: Bool) throws {
    let bytes = Array(path.utf8)
    #expect(try IgnorePattern(pattern).matches(bytes.span.bytes, below: 1) == ignored)
  }
}
