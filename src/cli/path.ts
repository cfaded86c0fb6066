/** `vsb path`: the way of a running VM's NIC, step by step. Exit status 0: nothing on it is broken; 1: something is. */
import { Option } from 'commander';
import type { SettingFlags } from '../app/settings.ts';
import { addSwitchOptions, outputOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData, type AddVerb } from './verb.ts';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly output: 'table' | 'json' | 'yaml';
  readonly graph?: 'mermaid' | 'dot';
};

export const add: AddVerb = (program) => {
  const command = program
    .command('path')
    .summary("the way of a running VM's packets: NIC, backend, switch, uplink")
    .description(
      "Draws the real way of a running VM's NICs, found from QEMU, the kernel and Open vSwitch, whoever started the VM; " +
        'with what is broken, and where the way is longer than it need be. Exit status 1: something is broken.',
    )
    .argument('<vm>', "VM, or VM:NIC with the NIC's number; of a topology or any other QEMU's -name")
    .addOption(
      new Option('--graph <language>', 'as a graph, in place of --output')
        .choices(['mermaid', 'dot'])
        .env('VSB_PATH_GRAPH'),
    )
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      '\nExamples:\n  vsb path web1\n  vsb path web1:0 --graph dot | dot -Tsvg > web1.svg\n' +
        "  vsb path web1 -o json | jq '.paths[].steps[] | select(.problem)'\n",
    );
  addSwitchOptions(command).action((target: string, flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [app, { toSettings }] = await Promise.all([
        import('../app/path.ts'),
        import('../app/settings.ts'),
      ]);
      const paths = await app.readPaths(toSettings(flags), target, interruptSignal());
      if (flags.graph !== undefined) {
        const { renderDot, renderMermaid, toGraph } = await import('../output/graph.ts');
        writeData((flags.graph === 'dot' ? renderDot : renderMermaid)(toGraph(paths)));
      } else {
        const { renderPaths, toPathsDocument } = await import('../output/path.ts');
        const { renderDocument } = await import('../output/document.ts');
        if (flags.output === 'table') writeData(renderPaths(paths, { colour: isColourful(process.stdout) }));
        else writeData(renderDocument(toPathsDocument(paths), flags.output));
      }
      const steps = paths.flatMap((path) => [...path.steps, ...path.uplinks]);
      return steps.some(({ problem }) => problem !== undefined) ? 1 : 0;
    }),
  );
};
