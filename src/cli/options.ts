/** Flags that several verbs share; each has its VSB_… variable. */
import { Option, type Command } from 'commander';

/** Adds the flags that say where the switch is. */
export function addSwitchOptions(command: Command): Command {
  return addCommonOptions(command)
    .addOption(new Option('--remote <remote>', 'OVSDB remote: unix:PATH or tcp:HOST:PORT').env('VSB_REMOTE'))
    .addOption(
      new Option('--ovs-rundir <dir>', "Open vSwitch's run directory, with <bridge>.mgmt").env(
        'VSB_OVS_RUNDIR',
      ),
    )
    .addOption(
      new Option('--netns <name>', 'network namespace of the switch and its devices').env('VSB_NETNS'),
    );
}

/** Adds the flags that every verb has. */
export function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--run-dir <dir>', 'state of guests (default: /run/vswitchboard)').env('VSB_RUN_DIR'),
    )
    .addOption(
      new Option('--log-level <level>', 'what to log on stderr')
        .choices(['error', 'warn', 'info', 'debug'])
        .default('warn')
        .env('VSB_LOG_LEVEL'),
    );
}

/** `-o FORMAT`, with its VSB_OUTPUT variable. */
export function outputOption(formats: readonly string[], defaultFormat: string): Option {
  return new Option('-o, --output <format>', 'how data is printed')
    .choices(formats)
    .default(defaultFormat)
    .env('VSB_OUTPUT');
}
