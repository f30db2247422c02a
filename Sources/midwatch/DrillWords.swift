import Formats
import Rules

/// What midwatchd says, with the story's times and without the directory before each name.
struct DrillWords {
  let story: DrillStory
  /// 03:00:00.
  let began: WallTime
  let root: String
  /// What a time in whole seconds, as a mail has it, really was: at sixty times the speed a second is a minute.
  var since: WallTime?

  /// Safe to show.
  func told(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let prefix = Array("\(root)/".utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let rest = bytes[index...]
      if rest.starts(with: prefix) {
        index += prefix.count
      } else if let (clock, count) = time(rest) {
        result += clock.utf8
        index += count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return shown(String(decoding: result, as: UTF8.self))
  }

  /// A time at the beginning of `text`, as journals and as mails have it, and how long it is.
  private func time(_ text: ArraySlice<UInt8>) -> (String, Int)? {
    for (length, end) in [(24, "Z"), (23, " UTC")] {
      let stamp = String(decoding: text.prefix(length), as: UTF8.self)
      guard stamp.hasPrefix("20"), stamp.hasSuffix(end), stamp.utf8.count == length else { continue }
      guard let time = WallTime(text: String(stamp.dropLast(end.utf8.count)) + "Z") else { continue }
      let exact = since.flatMap { $0.seconds == time.seconds ? $0 : nil } ?? time
      return (DrillStory.clock(story.told(exact - began)), length)
    }
    return nil
  }
}
