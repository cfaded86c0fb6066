/** Flags that several verbs share; each has its VSB_… variable. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { toDurationMs } from '../units/duration.ts';
import { toPrintable } from '../units/printable.ts';

/** Adds the flags that say where the switch is. */
export function addSwitchOptions(command: Command): Command {
  return addCommonOptions(command)
    .addOption(
      new Option(
        '--remote <remote>',
        'OVSDB remote: unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT, several with commas; or, to be called by the ' +
          'switch, punix:PATH, ptcp:PORT:IP or pssl:PORT:IP (default: unix:db.sock in --ovs-rundir)',
      ).env('VSB_REMOTE'),
    )
    .addOption(
      new Option('-p, --private-key <file>', 'for ssl: and pssl:, our private key').env('VSB_PRIVATE_KEY'),
    )
    .addOption(
      new Option('-c, --certificate <file>', 'for ssl: and pssl:, the certificate of our private key').env(
        'VSB_CERTIFICATE',
      ),
    )
    .addOption(
      new Option(
        '-C, --ca-cert <file>',
        "for ssl: and pssl:, the CA that signed the switch's certificate",
      ).env('VSB_CA_CERT'),
    )
    .addOption(
      new Option('--ovs-rundir <dir>', "Open vSwitch's run directory, with <bridge>.mgmt").env(
        'VSB_OVS_RUNDIR',
      ),
    )
    .addOption(
      new Option('--netns <name>', 'network namespace of the switch and its devices').env('VSB_NETNS'),
    );
}

/** Adds the flags that almost every verb has. */
export function addCommonOptions(command: Command): Command {
  return addLogOption(
    command.addOption(
      new Option('--run-dir <dir>', 'state of guests (default: /run/vswitchboard)').env('VSB_RUN_DIR'),
    ),
  );
}

/** Adds the flag that every verb has. */
export function addLogOption(command: Command): Command {
  return command.addOption(
    new Option('--log-level <level>', 'what to log on stderr')
      .choices(['error', 'warn', 'info', 'debug'])
      .default('warn')
      .env('VSB_LOG_LEVEL'),
  );
}

/** `-o FORMAT`, with its variable: one for all documents, and one of its own for streams, whose formats are others. */
export function outputOption(
  formats: readonly string[],
  defaultFormat: string,
  variable: 'VSB_OUTPUT' | 'VSB_WATCH_OUTPUT' | 'VSB_MATRIX_OUTPUT' | 'VSB_GRAPH_OUTPUT' = 'VSB_OUTPUT',
): Option {
  return new Option('-o, --output <format>', 'how data is printed')
    .choices(formats)
    .default(defaultFormat)
    .env(variable);
}

/** `--where FILTER`, of everything that shows rows. */
export function whereOption(): Option {
  return new Option('--where <filter>', 'only rows that pass this filter, see docs/filter.md')
    .default('', 'all')
    .env('VSB_WATCH_WHERE');
}

/** `--database-only`, as `ovs-vsctl --no-wait`. */
export function databaseOnlyOption(): Option {
  return new Option(
    '--database-only',
    'rows only: no devices, no waiting for ovs-vswitchd (for hosts prepared before they run)',
  ).env('VSB_DATABASE_ONLY');
}

/**
 * commander takes any value of a flag's variable for yes. Here `VSB_YES=0`, and likewise nothing, `false`, `no` and `off`,
 * are a no, and what is neither that nor a yes is refused by the verb that has the flag.
 */
export function heedNo(command: Command): void {
  for (const option of command.options) {
    const variable = option.envVar ?? '';
    const value = process.env[variable];
    if (!option.isBoolean() || value === undefined || /^(1|true|yes|on)$/i.test(value)) continue;
    delete option.envVar;
    if (/^(|0|false|no|off)$/i.test(value)) continue;
    command.hook('preAction', () => {
      command.error(
        `error: ${variable} is "${toPrintable(value)}", which is neither yes nor no. Write 1 or 0.`,
      );
    });
  }
  command.commands.forEach(heedNo);
}

/** What a timer of Node can wait: 2^31 - 1 ms; it takes longer times for 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Reads a duration flag that a timer waits for. */
export function toTimerOption(text: string): number {
  const ms = toDurationOption(text);
  if (ms > LONGEST_TIMER_MS) throw new InvalidArgumentError('Write at most 24d.');
  return ms;
}

/** Reads a duration flag (`250ms`, `1s`, `2m`) as milliseconds. */
export function toDurationOption(text: string): number {
  const ms = toDurationMs(text);
  if (ms === undefined || ms <= 0) {
    throw new InvalidArgumentError('Write a number above 0 with a unit: 250ms, 1s, 2m, 1h.');
  }
  return ms;
}
