/** `vsb graph`: the ways of all running VMs, or of one topology's, joined into one graph. */
import type { SettingFlags } from '../app/settings.ts';
import { addSwitchOptions, outputOption } from './options.ts';
import { interruptSignal, runVerb, writeData, type AddVerb } from './verb.ts';

type Flags = SettingFlags & { readonly logLevel: string; readonly output: 'mermaid' | 'dot' | 'json' };

export const add: AddVerb = (program) => {
  const command = program
    .command('graph')
    .summary('all running VMs, their bridges and uplinks as a graph')
    .description(
      'Joins the ways of all running VMs of this host (or of one topology) into a graph: VM, NIC, backend, bridge, uplink.',
    )
    .argument('[file]', 'topology file: only its VMs')
    .addOption(outputOption(['mermaid', 'dot', 'json'], 'mermaid', 'VSB_GRAPH_OUTPUT'))
    .addHelpText('after', '\nExample:\n  vsb graph -o dot | dot -Tsvg > host.svg\n');
  addSwitchOptions(command).action((file: string | undefined, flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [app, { toSettings }, output] = await Promise.all([
        import('../app/path.ts'),
        import('../app/settings.ts'),
        import('../output/graph.ts'),
      ]);
      const graph = output.toGraph(await app.readAllPaths(toSettings(flags), file, interruptSignal()));
      if (flags.output === 'json') {
        const { renderDocument } = await import('../output/document.ts');
        writeData(renderDocument(output.toGraphDocument(graph), 'json'));
      } else writeData((flags.output === 'dot' ? output.renderDot : output.renderMermaid)(graph));
      return 0;
    }),
  );
};
