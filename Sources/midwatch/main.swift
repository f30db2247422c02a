import Daemon
print(Version.text)
