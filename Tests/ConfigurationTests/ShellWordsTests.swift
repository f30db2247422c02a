import Configuration
import Testing

@Suite struct ShellWordsTests {
  @Test(
    arguments: [
      ("", []), ("  ", []), ("/bin/a b  c", ["/bin/a", "b", "c"]), ("a 'b c' d", ["a", "b c", "d"]),
      ("a \"b 'c'\"", ["a", "b 'c'"]),
      ("a'b'\"c\"d", ["abcd"]), ("''", [""]), ("a\\ b", ["a b"]), ("a\\sb", ["a b"]),
      ("\\x41\\101\\u00e9\\U0001F600", ["AA\u{E9}\u{1F600}"]),
      ("'\\n\\t\\\\\\'\\\"'", ["\n\t\\'\""]), ("$HOME `x` %n *", ["$HOME", "`x`", "%n", "*"]), ("a '|' ';'", ["a", "|", ";"]),
      ("a#b c;d", ["a#b", "c;d"]),
    ] as [(String, [String])])
  func areSplitAsSystemdDoes(line: String, words: [String]) throws {
    #expect(try ShellWords.split(line) == words)
  }

  @Test(arguments: [
    ("a 'b", "a quotation mark is opened and not closed", 2),
    ("a \"b'", "a quotation mark is opened and not closed", 2),
    ("a \\", "a backslash at the end escapes nothing; write two for one", 2),
    ("a\\qb", "'\\q' is not an escape that systemd knows; write \\\\ for one backslash", 1),
    ("\\x4", "'\\x' is not an escape that systemd knows; write \\\\ for one backslash", 0),
    ("\\xgg", "'\\x' is not an escape that systemd knows; write \\\\ for one backslash", 0),
    ("\\477", "'\\4' is not an escape that systemd knows; write \\\\ for one backslash", 0),
    ("\\ud800", "'\\u' is not an escape that systemd knows; write \\\\ for one backslash", 0),
    ("a \\x00", "the escapes in this word make a NUL or bytes that are not UTF-8", 2),
    ("a \\xff", "the escapes in this word make a NUL or bytes that are not UTF-8", 2),
    (
      "a | b",
      "'|' means something to a shell only, and none is started here; put the command into a script, or write /bin/sh -c '...'",
      2
    ),
    (
      "a && b",
      "'&&' means something to a shell only, and none is started here; put the command into a script, or write /bin/sh -c '...'",
      2
    ),
  ])
  func whatCannotBeSplitIsRefused(line: String, sentence: String, offset: Int) {
    do throws(Fault) {
      _ = try ShellWords.split(line)
      Issue.record("taken: \(line)")
    } catch {
      #expect(error == Fault(at: offset, sentence))
    }
  }
}
