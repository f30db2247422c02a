import Configuration
import Testing

/// What the operator sees, word by word.
@Suite struct ErrorTests {
  @Test(arguments: [
    // Sections and keys.
    ("[lock]", "f1:1:1: there is no section [lock]; did you mean [locks]?"),
    ("\n  [Heartbeat]", "f1:2:3: there is no section [Heartbeat]; did you mean [heartbeats]?"),
    ("[agnet x]", "f1:1:1: there is no section [agnet x]; did you mean [agent x]?"),
    (
      "[cats]",
      "f1:1:1: there is no section [cats]; there are [pipeline], [locks], [heartbeats], [outputs], [jobs], [halt], [memory], [leaks], [alert] and [agent NAME]"
    ),
    (
      "[locks",
      "f1:1:1: a section is opened and not closed at the end of the line; write it as in [locks], and comments on lines of their own"
    ),
    (
      "[",
      "f1:1:1: a section is opened and not closed at the end of the line; write it as in [locks], and comments on lines of their own"
    ),
    ("[agent]", "f1:1:1: the agent's name is missing; write it as in [agent content]"),
    ("[agent \"x\"]", "f1:1:1: '\"x\"' stands between quotation marks; write the agent's name without them"),
    ("[agent a/b]", "f1:1:1: 'a/b' cannot be an agent's name: it holds a slash"),
    ("[agent ..]", "f1:1:1: '..' cannot be an agent's name: it stands for a directory"),
    ("watch = x", "f1:1:1: 'watch' stands before any section; write one above it, as in [locks]"),
    ("[locks]\nstale-afer = 1h", "f1:2:1: there is no key 'stale-afer' in [locks]; did you mean 'stale-after'?"),
    ("[locks]\nStaleAfter = 1h", "f1:2:1: there is no key 'StaleAfter' in [locks]; did you mean 'stale-after'?"),
    ("[locks]\nstale = 1h", "f1:2:1: there is no key 'stale' in [locks]; did you mean 'stale-after'?"),
    ("[locks]\n limit = 1", "f1:2:2: there is no key 'limit' in [locks]; it belongs in [outputs]"),
    ("[locks]\nneeds = a", "f1:2:1: there is no key 'needs' in [locks]; it belongs in [agent NAME]"),
    ("[memory]\ncats = 1", "f1:2:1: there is no key 'cats' in [memory]; there are mode, warn and act"),
    (
      "[agent a]\ncats = 1",
      "f1:2:1: there is no key 'cats' in [agent NAME]; there are needs, match, growth, transcripts, heartbeats.mode, heartbeats.watch, every, stale-after, source, also, expect, outputs.mode, outputs.watch, limit, similar and ignore"
    ),
    (
      "[agent a]\nwatch = x",
      "f1:2:1: 'watch' is a key of [heartbeats] and of [outputs]; write heartbeats.watch or outputs.watch"
    ),
    (
      "[agent a]\nmode = off", "f1:2:1: 'mode' is a key of [heartbeats] and of [outputs]; write heartbeats.mode or outputs.mode"
    ),
    ("[agent a]\ncool-down = 1h", "f1:2:1: 'cool-down' is one for all agents together; write it in [outputs]"),
    ("[locks]\nwatch", "f1:2:1: 'watch' is neither a section nor an assignment; write key = value"),
    ("[locks]\n = x", "f1:2:2: the key is missing; write key = value"),
    // Values.
    ("[locks]\nmode = maybe", "f1:2:8: 'maybe' is not a mode; write on, observe or off"),
    (
      "[locks]\nstale-after = 30x",
      "f1:2:17: 'x' is not a unit of time; the units are us, ms, s, min, h, d, w, month and y, as in 30s or 1h 30min"
    ),
    (
      "[locks]\nstale-after = soon",
      "f1:2:15: 'soon' is not a span of time; write a number and a unit, as in 30s, 5min or 1h 30min"
    ),
    ("[locks]\nstale-after = 0", "f1:2:15: '0' is no time at all; write a span longer than 0"),
    ("[locks]\nwatch = a/*.lock, b/../c", "f1:2:21: 'b/../c' goes through '..'; write the path without it"),
    ("[locks]\nwatch = a,,b", "f1:2:11: nothing stands between two commas; take one away"),
    ("[locks]\nwatch = a,", "f1:2:11: nothing stands between two commas; take one away"),
    (
      "[locks]\nwatch = tasks/**",
      "f1:2:9: 'tasks/**' would take every file for a lock and remove it; end it with a name, as in locks/**/*.lock"
    ),
    ("[pipeline]\nname =  # mine", "f1:2:9: a comment cannot stand behind a value; write it on a line of its own"),
    ("[locks]\nignore = a, 'b'", "f1:2:13: ''b'' stands between quotation marks; write it without them"),
    ("[locks]\nwatch = a/*.lock # mine", "f1:2:18: a comment cannot stand behind a value; write it on a line of its own"),
    ("[pipeline]\nroot = \"/srv/x\"", "f1:2:8: '\"/srv/x\"' stands between quotation marks; write it without them"),
    (
      "[pipeline]\nroot = srv/x",
      "f1:2:8: 'srv/x' is not an absolute path; write the pipeline's directory in full, beginning with /"
    ),
    ("[pipeline]\nroot = /", "f1:2:8: the whole machine cannot be a pipeline; write its directory"),
    ("[pipeline]\nroot = /a/../b", "f1:2:8: '/a/../b' goes through '..'; write the path without it"),
    ("[pipeline]\ncross-mounts = maybe", "f1:2:16: 'maybe' is neither yes nor no; write one of them"),
    (
      "[heartbeats]\nwatch = a/{agent}.hb, b/x.hb",
      "f1:2:23: 'b/x.hb' does not say whose file it is; write {agent} where its name stands, or put it into an [agent NAME] section"
    ),
    (
      "[heartbeats]\nsource = json:a..b",
      "f1:2:10: 'json:a..b' is not a source; write mtime, content or json:KEY, as in json:beat.time"
    ),
    ("[heartbeats]\nalso = locks", "f1:2:8: 'locks' is not something that counts as a beat; write outputs"),
    ("[outputs]\nlimit = 10", "f1:2:9: '10' is not a limit; write a count and a span of time, as in 10 per 10min, or off"),
    (
      "[outputs]\nlimit = 10 per 5x",
      "f1:2:17: 'x' is not a unit of time; the units are us, ms, s, min, h, d, w, month and y, as in 30s or 1h 30min, or off"
    ),
    ("[outputs]\nprobes = off", "f1:2:10: 'off' is not a count; write a whole number from 1 to 1000000"),
    (
      "[outputs]\nsimilar = 1 per 1h",
      "f1:2:11: similar counts texts that are like each other, and one alone is like none; write a count of at least 2"
    ),
    ("[memory]\nwarn = 80", "f1:2:8: '80' is not a percentage; write a whole number from 1% to 100%, as in 80%"),
    ("[leaks]\nleftovers = kill", "f1:2:13: 'kill' is not a treatment; write report or off"),
    ("[leaks]\nusers = a b", "f1:2:9: 'a b' cannot be a user; write a user's name or number"),
    ("[halt]\nunits = gateway", "f1:2:9: 'gateway' has no type of unit; did you mean 'gateway.service'?"),
    (
      "[halt]\nunits = --force.service",
      "f1:2:9: '--force.service' cannot be a unit of systemd's; write one, as in openclaw-gateway.service"
    ),
    (
      "[halt]\nlevers = halt, brake",
      "f1:2:16: 'brake' is not a lever; write halt, gate, pause, terminate, stop, freeze or exec"
    ),
    (
      "[alert]\nexec = mail me",
      "f1:2:8: 'mail me' does not begin with the whole path of a program; write one, as in /usr/local/bin/tell-me"
    ),
    ("[alert]\nexec = /bin/a 'b", "f1:2:15: a quotation mark is opened and not closed"),
    ("[alert]\nmail = -oQ/tmp", "f1:2:8: '-oQ/tmp' cannot be a mail address; write one, as in me@example.org or root"),
    (
      "[alert]\nwebhook = teams https://x",
      "f1:2:11: 'teams' is not a kind of webhook; write ntfy, discord, slack, telegram or json, and then the address or @FILE"
    ),
    ("[alert]\nwebhook = slack", "f1:2:16: the address is missing; write slack https://... or slack @FILE"),
    (
      "[alert]\nwebhook = slack  ftp://x",
      "f1:2:18: 'ftp://x' is not an address; write https://..., or @FILE for a file that holds it"
    ),
    (
      "[alert]\nping = @etc/x",
      "f1:2:8: '@etc/x' is not a file; write @ and its whole path, as in @/etc/midwatch/webhook.url, or @NAME for a credential of systemd's"
    ),
    ("[alert]\ntimeout = 2min", "f1:2:11: '2min' is too long; write at most 1min"),
    (
      "[alert]\nping = @",
      "f1:2:8: '@' is not a file; write @ and its whole path, as in @/etc/midwatch/webhook.url, or @NAME for a credential of systemd's"
    ),
    ("[alert]\nping = https://x/\"", "f1:2:18: an address cannot hold '\"'; write it as %22"),
    // Between lines.
    (
      "[heartbeats]\nstale-after = 1min",
      "f1:2:15: stale-after (1min) is shorter than every (5min), so that each agent would be called silent between two beats; write stale-after of at least 5min"
    ),
    (
      "[heartbeats]\nevery = 1h",
      "f1:2:9: stale-after (15min) is shorter than every (1h), so that each agent would be called silent between two beats; write stale-after of at least 1h"
    ),
    (
      "[agent a]\nevery = 1h",
      "f1:2:9: stale-after (15min) is shorter than every (1h), so that each agent would be called silent between two beats; write stale-after of at least 1h"
    ),
    (
      "[memory]\nwarn = 90%",
      "f1:2:8: act (87%) is below warn (90%), so that it would act before it warns; write act of at least 90%"
    ),
    ("[agent a]\nneeds = b, a", "f1:2:9: a needs itself; take it away"),
    (
      "[agent a]\nneeds=b\n[agent b]\nneeds=c\n[agent c]\nneeds=x,b",
      "f1:4:7: b needs c needs b, which is a circle; take one of them away"
    ),
    ("[agent a]\nexpect = a, b", "f1:2:10: here only a itself can be expected; write b in [heartbeats]"),
    (
      "[halt]\nlevers = gate",
      "f1:2:10: the lever halt is missing, and the file HALT is how everybody learns of a halt; write levers = halt, ..."
    ),
    (
      "[halt]\nlevers = halt, pause, terminate", "f1:2:10: pause and terminate do the same thing in two ways; write one of them"
    ),
    (
      "[halt]\nlevers = halt, freeze",
      "f1:2:10: freeze has nothing to work on; name the units, as in units = openclaw-gateway.service"
    ),
    (
      "[halt]\nlevers = halt, exec",
      "f1:2:10: exec has nothing to start; name the program, as in exec = /usr/local/bin/stop-them"
    ),
    // Lines.
    ("[locks]\nwatch = a\u{1}b", "f1:2:10: a control character ('\\u{1}') stands here; take it away"),
    ("[locks]\nwatch = \u{E9}\u{85}", "f1:2:10: a control character ('\\u{85}') stands here; take it away"),
    ("a\0", "f1:1:2: a control character ('\\u{0}') stands here; take it away"),
    (
      "[locks]\nwatch = a, \\ \n b",
      "f1:2:12: a backslash continues a line only as its last character; take away the blanks behind it"
    ),
    ("[locks]\nwatch = \u{E9}, \\\n  b, c//", "f1:3:8: 'c//' has two slashes in a row; write one"),
    ("[locks]\r\nmode = x\r\n", "f1:2:8: 'x' is not a mode; write on, observe or off"),
    ("[locks]\nmode = \u{202E}no", "f1:2:8: '\\u{202e}no' is not a mode; write on, observe or off"),
  ])
  func aBadFileNamesThePlaceAndWhatWasMeant(text: String, message: String) {
    #expect(complaint([text]) == message)
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    let tests: [([UInt8], Int)] = [
      ([0xFF], 1), ([0x61, 0xC3], 2), ([0xC0, 0x80], 1), ([0xED, 0xA0, 0x80], 1), ([0xC3, 0x0A], 1),
      ([0xF4, 0x90, 0x80, 0x80], 1),
    ]
    for (bytes, column) in tests {
      #expect(
        throws: ConfigurationError(
          file: "f", line: 1, column: column,
          sentence: "this byte ('\\x\(String(bytes[column - 1], radix: 16))') is not UTF-8; save the file as UTF-8")
      ) {
        var builder = SettingsBuilder()
        try builder.read(bytes, file: "f")
      }
    }
  }

  @Test func endlessLinesAreRefused() {
    let long = String(repeating: "x", count: 65_537)
    #expect(complaint(["\n#" + long]) == "f1:2:1: this line is longer than 64 KiB; is this a configuration file?")
    let half = String(repeating: "x", count: 40_000)
    #expect(
      complaint(["[locks]\nwatch = \(half)\\\n\(half)"])
        == "f1:3:1: with this line the one that it continues is longer than 64 KiB; is a backslash too many?")
  }

  @Test func whatAUserCanGrowIsBounded() {
    let names = (0...1024).map { "a\($0)" }
    #expect(
      complaint(["[heartbeats]\nexpect = " + names.joined(separator: ",")])
        == "f1:2:10: the list 'expect' has more than 1024 entries")
    #expect(complaint([names.map { "[agent \($0)]\n" }.joined()]) == "f1:1025:1: there are more than 1024 agents")
  }

  @Test func theRootIsAsked() {
    #expect(
      complaint([], root: nil)
        == "midwatch.conf:1:1: the pipeline has no root; write root = /its/directory below [pipeline], or give --root")
    #expect(
      complaint(["[locks]\n", "# x\n[pipeline]\nname = x", ""], root: nil)
        == "f2:2:1: the pipeline has no root; write root = /its/directory below [pipeline], or give --root")
    #expect(
      complaint(["[pipeline]\nroot = /srv/#x"], root: nil)
        == "f1:2:8: '#x', the last part of root, cannot be the pipeline's name; write name = ... below [pipeline]")
    #expect(complaint(["[pipeline]\nroot = /srv/#x\nname = x"], root: nil) == nil)
    #expect(complaint(["[pipeline]\nroot = /srv/x /"], root: nil) == "f1:2:8: '/srv/x /' ends in a blank; take it away")
    #expect(
      complaint([], root: "here")
        == "--root:1:1: 'here' is not an absolute path; write the pipeline's directory in full, beginning with /")
  }

  @Test(arguments: [
    (
      "locks.stale-after",
      "--set:2:1: 'locks.stale-after' is not an assignment; write SECTION.KEY=VALUE, as in locks.stale-after=10s"
    ),
    ("locks=1", "--set:2:1: 'locks=1' is not an assignment; write SECTION.KEY=VALUE, as in locks.stale-after=10s"),
    ("lokcs.mode=on", "--set:2:1: there is no section [lokcs]; did you mean [locks]?"),
    ("locks.mod=on", "--set:2:7: there is no key 'mod' in [locks]; did you mean 'mode'?"),
    ("locks.mode=up", "--set:2:12: 'up' is not a mode; write on, observe or off"),
    ("agent.a=on", "--set:2:1: 'agent.a=on' is not an assignment; write SECTION.KEY=VALUE, as in locks.stale-after=10s"),
    ("agent.a.mode=on", "--set:2:9: 'mode' is a key of [heartbeats] and of [outputs]; write heartbeats.mode or outputs.mode"),
    ("agent..every=1h", "--set:2:1: the agent's name is missing; write it as in [agent content]"),
    ("agent.a.needs=a", "--set:2:15: a needs itself; take it away"),
    ("locks.mode=o\n", "--set:2:13: a control character stands here; take it away"),
    ("", "--set:2:1: '' is not an assignment; write SECTION.KEY=VALUE, as in locks.stale-after=10s"),
    ("=", "--set:2:1: '=' is not an assignment; write SECTION.KEY=VALUE, as in locks.stale-after=10s"),
  ])
  func aBadSetSaysWhichOne(assignment: String, message: String) {
    #expect(complaint([], set: ["locks.mode=on", assignment]) == message)
  }

  @Test func aFileNameCannotTouchTheTerminal() {
    let error = ConfigurationError(file: "a\u{1B}[2J\n.conf", line: 1, column: 2, sentence: "x")
    #expect(error.description == "a\\u{1b}[2J\\u{a}.conf:1:2: x")
  }
}
