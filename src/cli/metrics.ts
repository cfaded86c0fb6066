/** `vsb metrics`: the metrics, once. */
import { InvalidArgumentError, Option } from 'commander';
import type { SettingFlags } from '../app/settings.ts';
import { addSwitchOptions } from './options.ts';
import { interruptSignal, runVerb, writeData, writeError, type AddVerb } from './verb.ts';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly output: 'prometheus' | 'openmetrics';
  readonly pairs: number;
};

export const add: AddVerb = (program) => {
  const command = program
    .command('metrics')
    .summary('totals of VMs and the health of the switch, for Prometheus')
    .description(
      'Reads the switch once and prints what Prometheus would scrape: totals of every NIC of a VM, the health of the ' +
        'switch, and what reading it cost. Rates are made of totals by Prometheus.',
    )
    .addOption(
      new Option(
        '--pairs <n>',
        'as many pairs of VMs as this too, those with most bytes; the rest is "other"',
      )
        .argParser(toCount)
        .default(0, '0, no pairs')
        .env('VSB_METRICS_PAIRS'),
    )
    .addOption(
      new Option('-o, --output <format>', 'which text format')
        .choices(['prometheus', 'openmetrics'])
        .default('prometheus')
        .env('VSB_METRICS_OUTPUT'),
    )
    .addHelpText(
      'after',
      '\nWhat is not known is left out, and never 0. Each metric: docs/metrics.md.\n' +
        '\nExamples:\n  vsb metrics | grep ^vswitchboard_vm_sent_bytes_total\n' +
        '  vsb metrics --pairs 20 > vsb.prom.new && mv vsb.prom.new vsb.prom\n',
    );
  addSwitchOptions(command).action((flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [{ MetricsSource }, { toSettings }] = await load();
      await using source = await MetricsSource.open({
        settings: toSettings(flags),
        pairs: flags.pairs,
        signal: interruptSignal(),
      });
      const { text, losses, isBlind } = await source.scrape(flags.output);
      const [first] = losses;
      if (isBlind && first) throw first;
      for (const { code, message } of losses) writeError(`vsb: warning[${code}]: ${message}`);
      writeData(text);
      return 0;
    }),
  );
};

/** Apart: in a function that has `using`, tsc leaves the endings of imported files as they are. */
const load = () => Promise.all([import('../app/metrics.ts'), import('../app/settings.ts')]);

function toCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Write a number of pairs: 0, 20.');
  return Number(text);
}
