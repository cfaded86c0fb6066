/** `vsb plan FILE`: what apply would change; touches nothing. */
import { Option, type Command } from 'commander';
import { addSwitchOptions, databaseOnlyOption, outputOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData } from './verb.ts';

interface PlanFlags {
  readonly detailedExitcode?: true;
  readonly databaseOnly?: true;
  readonly output: 'table' | 'json' | 'yaml';
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

/** `vsb plan --detailed-exitcode` where there is something to change. */
const CHANGES_PRESENT = 2;

export function add(program: Command): void {
  addSwitchOptions(
    program
      .command('plan')
      .summary('what would change, why, and what it does to traffic')
      .description(
        'Compares the topology with what is there, and shows what apply would change. Touches nothing.',
      )
      .argument('<file>', 'topology file'),
  )
    .addOption(
      new Option('--detailed-exitcode', 'exit with 2 where something would change').env(
        'VSB_DETAILED_EXITCODE',
      ),
    )
    .addOption(databaseOnlyOption())
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      `
Exit status: 0 planned; 1 failed or refused; 2 changes present (with --detailed-exitcode); 78 invalid topology.

Example:
  vsb plan topologies/two-tier.vsb.yaml --detailed-exitcode`,
    )
    .action((file: string, flags: PlanFlags) =>
      runVerb(flags.logLevel, async () => {
        const [app, { toSettings }, output] = await Promise.all([
          import('../app/apply.ts'),
          import('../app/settings.ts'),
          import('../output/plan.ts'),
        ]);
        const plan = await app.plan(file, {
          settings: toSettings(flags),
          databaseOnly: flags.databaseOnly === true,
          signal: interruptSignal(),
        });
        if (flags.output === 'table')
          writeData(output.renderPlan(plan, { colour: isColourful(process.stdout) }));
        else {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument(output.toPlanDocument(plan), flags.output));
        }
        if (plan.refusals.length > 0) return 1;
        return flags.detailedExitcode === true && plan.changes.length > 0 ? CHANGES_PRESENT : 0;
      }),
    );
}
