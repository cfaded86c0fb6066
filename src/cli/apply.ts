/** `vsb apply FILE` and `vsb destroy FILE`: plan, ask, make it, say what is in effect. */
import { Option, type Command } from 'commander';
import { addSwitchOptions, databaseOnlyOption, outputOption, toDurationOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData, writeError } from './verb.ts';
import { askYes } from './ask.ts';

interface ApplyFlags {
  readonly yes?: true;
  readonly databaseOnly?: true;
  readonly deadline: number;
  readonly output: 'table' | 'json' | 'yaml';
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

export function add(program: Command): void {
  addFlags(
    program
      .command('apply')
      .summary('make the host as the topology says')
      .description(
        'Plans, asks (or --yes), makes taps, changes Open vSwitch in one transaction, waits until it is in effect.',
      ),
  )
    .addHelpText(
      'after',
      `
Exit status: 0 in effect; 1 failed, or something is not in effect; 64 wrong usage; 78 invalid topology.

Example:
  vsb apply topologies/two-tier.vsb.yaml --yes`,
    )
    .action((file: string, flags: ApplyFlags) => act('apply', file, flags));
}

export function addDestroy(program: Command): void {
  addFlags(
    program
      .command('destroy')
      .summary('remove what this topology owns, nothing else')
      .description(
        'Removes the bridges, ports, limits and taps that carry this topology’s mark, and nothing else.',
      ),
  )
    .addHelpText(
      'after',
      `
Example:
  vsb destroy topologies/two-tier.vsb.yaml --yes`,
    )
    .action((file: string, flags: ApplyFlags) => act('destroy', file, flags));
}

function addFlags(command: Command): Command {
  return addSwitchOptions(command.argument('<file>', 'topology file'))
    .addOption(new Option('-y, --yes', 'do not ask').env('VSB_YES'))
    .addOption(databaseOnlyOption())
    .addOption(
      new Option('--deadline <time>', 'how long ovs-vswitchd may take to put it in effect')
        .argParser(toDurationOption)
        .default(10_000, '10s')
        .env('VSB_DEADLINE'),
    )
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'));
}

async function act(verb: 'apply' | 'destroy', file: string, flags: ApplyFlags): Promise<void> {
  await runVerb(flags.logLevel, async () => {
    const [{ apply, destroy }, { toSettings }, { renderPlan, renderReport, toReportDocument }] =
      await Promise.all([
        import('../app/apply.ts'),
        import('../app/settings.ts'),
        import('../output/plan.ts'),
      ]);
    const isTable = flags.output === 'table';
    const signal = interruptSignal();
    const options = { colour: isColourful(process.stdout), isVerified: flags.databaseOnly !== true };
    const report = await (verb === 'apply' ? apply : destroy)(file, {
      settings: toSettings(flags),
      databaseOnly: flags.databaseOnly === true,
      deadlineMs: flags.deadline,
      signal,
      confirm: (plan) => {
        if (isTable) writeData(`${renderPlan(plan, options)}\n`);
        if (flags.yes === true) return Promise.resolve(true);
        // Data goes to stdout; who is asked must see what about.
        if (!isTable) writeError(renderPlan(plan, { colour: false }));
        return askYes(verb, signal);
      },
    });
    if (flags.output === 'table') writeData(renderReport(report, options));
    else {
      const { renderDocument } = await import('../output/document.ts');
      writeData(renderDocument(toReportDocument(report), flags.output));
    }
    return report.failed.length + report.findings.length > 0 ? 1 : 0;
  });
}
