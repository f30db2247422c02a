import Foundation
import TestSupport
import Testing

/// The gate against `/bin/sh -c`, in all that a job can see of it.
@Suite(.serialized) struct GateLikenessTests {
  /// Scripts that run a job by "$T" and print what became of it; `$D` is an empty directory. None prints what
  /// differs from run to run, as descriptors above 9 do: a program that another test starts at the same moment may
  /// leave one behind.
  static let rows: [(name: String, script: String)] =
    [
      ("no output", #""$T" -c :"#),
      ("both outputs", #""$T" -c 'echo out; echo err >&2'"#),
      ("a name and arguments", #""$T" -c 'echo "$0|$1|$2|$#"' name 'a b' ''"#),
      ("no name", #""$T" -c 'echo "$0|$#"'"#),
      ("quotes", #""$T" -c 'echo "it'\''s \"quoted\"" \\ \$HOME'"#),
      ("bytes that are no UTF-8", #""$T" -c "$(printf 'printf "\377\200|%%s|" "$1"')" x "$(printf '\376')" | od -c"#),
      ("a line feed in the command", "\"$T\" -c 'echo one\necho two'"),
      ("a here-document", "\"$T\" -c 'cat <<EOF\nin $((1+1)) lines\nEOF'"),
      ("a pipe", #""$T" -c 'echo b; echo a' | sort"#),
      ("a loop", #""$T" -c 'for i in 1 2 3; do echo $i; done'"#),
      ("a percent sign as cron hands it", #"printf 'line 1\nline 2\n' | "$T" -c 'cat; echo after'"#),
      ("input that is not read", #"echo never | "$T" -c 'echo no'"#),
      (
        "input that is read in part",
        #"""
        printf 'a\nb\nc\n' | { "$T" -c 'read x; echo "$x"' >/dev/null; cat >/dev/null; echo rest; }
        """#
      ),
      ("an unknown program", #""$T" -c 'no-such-program-here' 2>&1 | sed 's/.*no-such/no-such/'"#),
      ("an unknown program's code", #""$T" -c 'no-such-program-here' 2>/dev/null; echo $?"#),
      ("a directory as a program", #""$T" -c /tmp 2>/dev/null; echo $?"#),
      ("a syntax error", #""$T" -c 'if' 2>/dev/null; echo $?"#),
      ("set -e", #""$T" -c 'set -e; false; echo no'; echo $?"#),
      ("exec", #""$T" -c 'exec echo replaced'"#),
      ("every exit code", #"for i in $(seq 0 255); do "$T" -c "exit $i"; [ $? = $i ] || echo $i; done"#),
      ("an exit code out of range", #""$T" -c 'exit 256'; echo $?"#),
      (
        "ended by its own signals",
        #"""
        for s in HUP INT QUIT KILL USR1 ALRM TERM SEGV; do
          "$T" -c 'kill -'$s' $$'; echo $?
        done 2>/dev/null
        """#
      ),
      (
        "signals from outside",
        #"""
        set -m
        for s in HUP INT QUIT USR1 USR2 ALRM TERM CONT WINCH 34 64; do
          rm -f "$D/ready"
          "$T" -c 'for s in HUP INT QUIT USR1 USR2 ALRM TERM CONT WINCH 34 64; do trap "echo got $s; exit 7" $s; done
            : > "$0"; while :; do sleep 0.02; done' "$D/ready" &
          until [ -e "$D/ready" ]; do sleep 0.02; done
          kill -$s $!; wait $!; echo $?
        done 2>/dev/null
        """#
      ),
      (
        "killed from outside",
        #"""
        set -m
        "$T" -c 'echo $$ > "$0.new"; mv "$0.new" "$0"; while :; do sleep 0.02; done' "$D/pid" & p=$!
        until [ -e "$D/pid" ]; do sleep 0.02; done
        kill -KILL $p; wait $p 2>/dev/null; echo $?
        while kill -0 "$(cat "$D/pid")" 2>/dev/null; do sleep 0.02; done; echo gone
        """#
      ),
      (
        "what is ignored stays ignored",
        #"""
        trap '' HUP TERM
        "$T" -c 'grep SigIgn /proc/self/status; kill -HUP $$; echo lives'
        """#
      ),
      (
        "ended children that are ignored",
        #"""
        python3 -c 'import os, signal, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.execv(sys.argv[1], [sys.argv[1], "-c", "grep SigIgn /proc/self/status; exit 3"])' "$T"; echo $?
        """#
      ),
      ("no signal is blocked", #""$T" -c 'grep -E "SigBlk|SigCgt" /proc/self/status'"#),
      (
        "blocked signals stay blocked",
        #"""
        python3 -c 'import os, signal, sys
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        os.execv(sys.argv[1], [sys.argv[1], "-c", "grep SigBlk /proc/self/status"])' "$T"
        """#
      ),
      (
        "a group of its own under cron",
        #"""
        setsid -w "$T" -c '[ "$(ps -o pgid= -p $$ | tr -d " ")" = $$ ] && echo leads; ps -o tty= -p $$'
        """#
      ),
      ("a signal to its own group", #"setsid -w "$T" -c 'trap "echo got" TERM; kill -TERM 0; echo after'; echo $?"#),
      (
        "no group of its own elsewhere",
        #"""
        own=$(ps -o pgid= -p $$ | tr -d ' ')
        "$T" -c '[ "$(ps -o pgid= -p $$ | tr -d " ")" = "$0" ] && echo same' "$own"; :
        """#
      ),
      ("a child in the background", #""$T" -c 'sleep 0.2 & wait $!; echo $?'"#),
      ("a child left behind", #""$T" -c 'sleep 5 >/dev/null & :'; echo $?"#),
      ("standard input closed", #""$T" -c 'cat; echo $?; ls /proc/self/fd | grep -xc .' <&- 2>/dev/null"#),
      ("all three closed", #""$T" -c 'exit 5' <&- >&- 2>&-; echo $?"#),
      (
        "open files",
        #"""
        exec 5>"$D/five" 9<"$0"
        "$T" -c 'readlink /proc/$$/fd/5 | sed "s|.*/||"; ls /proc/$$/fd | grep -x . | tr "\n" " "; echo five >&5'
        cat "$D/five"
        """#
      ),
      ("a reader sees the end at once", #""$T" -c 'echo first; exec >&- 2>&-; sleep 0.5' | { cat; echo end; }"#),
      (
        "a lock that was handed on",
        #"""
        (
          flock 9
          "$T" -c 'exec 9>&-; flock -n "$0" echo free || echo held; sleep 0.2' "$D/lock"
        ) 9>"$D/lock"
        """#
      ),
      (
        "the environment",
        #"""
        env -i A=1 'B=two words' MIDWATCH_CONFIG="$MIDWATCH_CONFIG" SHELL=/bin/sh "$T" -c '/usr/bin/env' |
          grep -v MIDWATCH_JOB | sort
        """#
      ),
      ("an empty environment", #"env -i "$T" -c '/usr/bin/env' | grep -v MIDWATCH_JOB | sort"#),
      (
        "a variable without a name",
        #"""
        python3 -c 'import os, sys
        os.execve(sys.argv[1], [sys.argv[1], "-c", "echo $A"], {"A": "b=c"})' "$T"
        """#
      ),
      ("the working directory", #"cd "$D" && "$T" -c 'pwd | sed "s|.*/||"; cd ..; rmdir "$0"; echo $?' "$D""#),
      ("the file mode mask", #"(umask 0123; "$T" -c 'umask; : > "$0/f"; stat -c %a "$0/f"' "$D")"#),
      ("limits", #"(ulimit -n 64; ulimit -c 0; ulimit -s 4096; "$T" -c 'ulimit -n; ulimit -c; ulimit -s')"#),
      ("niceness", #"nice -n 7 "$T" -c nice"#),
      (
        "arguments as long as they may be",
        #"a=$(head -c 131000 /dev/zero | tr '\0' a); "$T" -c 'echo ${#1} ${#2}' x "$a" "$a""#
      ),
      ("a command as long as it may be", #""$T" -c ": $(head -c 130000 /dev/zero | tr '\0' a); echo done""#),
      ("many arguments", #""$T" -c 'echo $#' x $(seq 100000)"#),
      ("more than the kernel takes", #""$T" -c 'echo $#' x $(seq 1000000) 2>/dev/null; echo $?"#),
      ("an option before the command", #""$T" -ec 'false; echo no'; echo $?"#),
      ("a script", #"echo 'echo script $1; exit 4' > "$D/script"; "$T" "$D/script" one; echo $?"#),
      ("a script from its input", #"echo 'echo piped; exit 6' | "$T"; echo $?"#),
      ("no command", #""$T" -c 2>/dev/null; echo $?"#),
      ("an empty command", #""$T" -c ''; echo $?"#),
      ("orphans are somebody's", #""$T" -c '(sleep 0.1 &) ; sleep 0.3; echo done'"#),
      (
        "many children that end at once",
        #"""
        "$T" -c 'for i in $(seq 50); do (exit 0) & done; wait
          (for i in $(seq 50); do sleep 0.01 & done); sleep 0.2; echo done'
        """#
      ),
      (
        "stopped and continued",
        #"""
        is() { grep -q "State:.$1" "/proc/$p/status"; }
        "$T" -c 'until [ -e "$0" ]; do sleep 0.02; done; exit 7' "$D/go" & p=$!
        sleep 0.1; kill -TSTP $p; until is T; do sleep 0.02; done; echo stopped
        kill -CONT $p; while is T; do sleep 0.02; done; echo on
        : > "$D/go"; wait $p; echo $?
        """#
      ),
    ]

  @Test(
    .enabled(if: Programs.has("setsid", "flock", "python3", "ps"), "Debian: util-linux procps python3"),
    arguments: rows.indices)
  func theJobSeesNoDifference(row: Int) async throws {
    let (name, script) = Self.rows[row]
    let bench = try GateBench()
    func seen(_ shell: String) async throws -> Programs.Outcome {
      let directory = bench.pipeline.path("elsewhere/\(UUID().uuidString)/place")
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let environment = bench.environment.merging(["T": shell, "D": directory]) { $1 }
      return try await Programs.runAside("/bin/bash", ["-c", script, "/etc/passwd"], environment: environment)
    }
    let plain = try await seen("/bin/sh")
    let gated = try await seen(bench.gate)
    #expect(gated.output == plain.output, "\(name)")
    #expect(gated.error.replacing(bench.gate, with: "/bin/sh") == plain.error, "\(name)")
    #expect(gated.status == plain.status, "\(name)")
  }
}
