import Kernel

exitProcess(CommandLineTool.run(CommandLineTool.words()))
