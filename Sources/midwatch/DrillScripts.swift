import Configuration
import Rules

/// The five little agents, and what midwatchd is told: as they would be written by whoever has such a pipeline.
/// The agents know nothing of midwatch.
struct DrillScripts {
  let story: DrillStory

  private func seconds(_ span: TimeSpan) -> String {
    let milliseconds = story.real(span).nanoseconds / 1_000_000
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)"
  }

  var all: [(name: String, text: String)] {
    [("scheduler", scheduler), ("content", content), ("seo", seo), ("community", community), ("research", research)]
  }

  private var scheduler: String {
    """
    # Its retry is wrong: content never writes the name that it waits for.
    touch status/scheduler.heartbeat
    try=0
    until [ -e outputs/content/article.md ] || [ "$try" -ge \(DrillStory.variations) ]; do
      try=$((try + 1))
      sh "${0%/*}/content" "$try"
      sleep \(seconds(.milliseconds(9500)))
    done

    """
  }

  private var community: String {
    """
    # Posts when there is a newer article than at the last post; Discord is a file here.
    touch status/community.heartbeat
    set -- outputs/content/article-*.md
    [ -e "$1" ] || exit 0
    [ "$#" = "$(cat posted 2>/dev/null)" ] && exit 0
    echo "$#" >posted
    echo "New on the blog: what a night without a watch costs" >>discord.txt

    """
  }

  private var seo: String {
    """
    # Keywords for each article that has none yet, at two lookups a minute.
    touch status/seo.heartbeat
    left=2
    code=0
    for article in outputs/content/article-*.md; do
      [ -e "$article" ] || continue
      name=${article##*/}
      [ -e "outputs/seo/${name%.md}.txt" ] && continue
      if [ "$left" -gt 0 ]; then
        left=$((left - 1))
        echo "keywords for $name: agents, cron, night" >"outputs/seo/${name%.md}.txt"
      else
        echo "429 too many requests: $name" >>refused.txt
        code=1
      fi
    done
    exit "$code"

    """
  }

  private var research: String {
    """
    # The first to make the lock is the one that works.
    set -C
    if ! true >tasks/research.lock; then
      echo "research: another run is at work" >&2
      exit 1
    fi
    touch status/research.heartbeat
    sleep \(seconds(.seconds(5)))
    rm tasks/research.lock

    """
  }

  private var content: String {
    """
    # Writes one article. Asked again, it writes it again, in a few other words.
    touch status/content.heartbeat
    case $(($1 % 4)) in
      0) word=watch ;; 1) word=guard ;; 2) word=sentry ;; *) word=lookout ;;
    esac
    cat >outputs/content/.draft <<END
    # What a night without a $word costs, take $1

    A pipeline of agents is never broken by the thing that you were afraid of. It is broken by a small mistake that
    nobody sees, at an hour when nobody looks, and by everything downstream that trusts it. One agent asks another for
    the same work again, because it did not notice that the work was done; the other does it again, politely, and
    puts it where the next one will find it. The next one has a limit on how often it may call, and reaches it. The
    last one tells the whole world about every new piece, for that is what it was made for.

    None of them has failed. Each has done its job $1 times as well as it could, and in the morning there is a
    directory full of the same article, an account that is blocked, a channel full of the same message, and a bill.
    What was missing is not a better retry and not a larger machine. What was missing is somebody who counts, who
    knows how much is too much, who stops everything at once and wakes exactly one person with exactly one message
    that says what happened, what was stopped, and what to type to go on. Sailors have had a word for it: a $word.
    END
    mv outputs/content/.draft "outputs/content/article-$1.md"

    """
  }

  /// The defaults, divided; what midwatchd does about browsers and memory is no part of this story.
  func configuration(root: String, hook: String) -> String {
    func span(_ span: TimeSpan) -> String { Units.spanText(story.real(span)) }
    let minute: Int64 = 60
    return """
      # Written by 'midwatch drill': every default, with spans divided by \(story.speed).
      [pipeline]
      root = \(root)
      name = night

      [locks]
      stale-after = \(span(.seconds(30 * minute)))
      dead-owner-grace = \(span(.seconds(minute)))

      [heartbeats]
      every = \(span(.seconds(5 * minute)))
      stale-after = \(span(.seconds(15 * minute)))

      [outputs]
      limit = 10 per \(span(.seconds(10 * minute)))
      similar = 5 per \(span(.seconds(30 * minute)))

      [halt]
      verify-after = \(span(.seconds(minute)))

      [leaks]
      mode = off

      [memory]
      mode = off

      [alert]
      exec = /bin/sh \(hook)

      [agent seo]
      needs = research

      """
  }
}
