/** `vsb show`: what is there, whoever made it. */
import type { Command } from 'commander';
import { addSwitchOptions, outputOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData } from './verb.ts';

interface ShowFlags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

export function add(program: Command): void {
  addSwitchOptions(
    program
      .command('show')
      .summary('what is there: bridge → port → VM NIC, with state and errors')
      .description(
        'Shows every bridge and port of the switch, whoever made it, with the VM NIC that each port is for.',
      ),
  )
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      `
Example:
  vsb show -o json | jq '.bridges[].ports[] | select(.error)'`,
    )
    .action((flags: ShowFlags) =>
      runVerb(flags.logLevel, async () => {
        const [app, { toSettings }, output] = await Promise.all([
          import('../app/show.ts'),
          import('../app/settings.ts'),
          import('../output/show.ts'),
        ]);
        const shown = await app.show(toSettings(flags), interruptSignal());
        if (flags.output === 'table')
          writeData(output.renderShow(shown, { colour: isColourful(process.stdout) }));
        else {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument(output.toShowDocument(shown), flags.output));
        }
        return 0;
      }),
    );
}
