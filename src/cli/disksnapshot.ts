/** `vsb disk snapshot`: internal snapshots of a qcow2 image. */
import { Option, type Command } from 'commander';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { askYes } from './ask.ts';
import { convert } from './diskconvert.ts';
import { addLogOption, outputOption } from './options.ts';
import { interruptSignal, runVerb, writeData, writeError } from './verb.ts';

export function addSnapshot(disk: Command): void {
  const snapshot = disk.command('snapshot').description('internal snapshots of a qcow2 image');
  snapshot.addHelpText('after', '\nExample:\n  vsb disk snapshot create web1.qcow2 before-upgrade\n');
  addChange(snapshot, 'create', 'keep what the image holds now under a name');
  addChange(snapshot, 'delete', 'let a snapshot go; the image stays as it is');
  addApply(snapshot);
  addList(snapshot);
  addExtract(snapshot);
}

function addChange(snapshot: Command, verb: 'create' | 'delete', description: string): void {
  const command = snapshot
    .command(verb)
    .description(description)
    .argument('<image>', 'path of the image')
    .argument('<name>', 'name of the snapshot')
    .addHelpText('after', `\nExample:\n  vsb disk snapshot ${verb} web1.qcow2 before-upgrade\n`);
  addLogOption(command).action((image: string, name: string, flags: { logLevel: string }) =>
    runVerb(flags.logLevel, async () => {
      const { SNAPSHOT_ACTIONS } = await import('../app/disk.ts');
      await SNAPSHOT_ACTIONS[verb](image, name);
      writeError(`${image}: snapshot "${name}" ${verb === 'create' ? 'made' : 'deleted'}`);
      return 0;
    }),
  );
}

function addApply(snapshot: Command): void {
  const command = snapshot
    .command('apply')
    .description('put the image back to what it held then; what was written since is lost')
    .argument('<image>', 'path of the image')
    .argument('<name>', 'name of the snapshot')
    .addOption(new Option('-y, --yes', 'do not ask').env('VSB_YES'))
    .addHelpText('after', '\nExample:\n  vsb disk snapshot apply web1.qcow2 before-upgrade\n');
  addLogOption(command).action((image: string, name: string, flags: { logLevel: string; yes?: boolean }) =>
    runVerb(flags.logLevel, async () => {
      const { SNAPSHOT_ACTIONS, diskInfo } = await import('../app/disk.ts');
      const { snapshots } = await diskInfo(image);
      const at = snapshots.find((one) => one.name === name)?.at;
      if (at !== undefined) writeError(`All that was written to ${image} since ${at} is lost.`);
      if (at !== undefined && flags.yes !== true && !(await askYes('apply', interruptSignal()))) return 1;
      await SNAPSHOT_ACTIONS.apply(image, name);
      writeError(`${image}: as it was in "${name}"`);
      return 0;
    }),
  );
}

function addList(snapshot: Command): void {
  const command = snapshot
    .command('list')
    .description('list the snapshots of an image')
    .argument('<image>', 'path of the image')
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExample:\n  vsb disk snapshot list web1.qcow2\n');
  addLogOption(command).action(
    (image: string, flags: { logLevel: string; output: 'table' | 'json' | 'yaml' }) =>
      runVerb(flags.logLevel, async () => {
        const { diskInfo } = await import('../app/disk.ts');
        const { snapshots } = await diskInfo(image);
        if (flags.output === 'table') {
          const { renderSnapshots } = await import('../output/disk.ts');
          writeData(renderSnapshots(snapshots));
          return 0;
        }
        const { renderDocument } = await import('../output/document.ts');
        writeData(renderDocument({ formatVersion: FORMAT_VERSION, image, snapshots }, flags.output));
        return 0;
      }),
  );
}

function addExtract(snapshot: Command): void {
  const command = snapshot
    .command('extract')
    .description('write what the image held then as another image')
    .argument('<image>', 'path of the image')
    .argument('<name>', 'name of the snapshot')
    .argument('<target>', 'path of the new image')
    .addHelpText('after', '\nExample:\n  vsb disk snapshot extract web1.qcow2 before-upgrade old.qcow2\n');
  addLogOption(command).action((image: string, name: string, target: string, flags: { logLevel: string }) =>
    runVerb(flags.logLevel, async () => {
      await convert(image, target, { ...flags, snapshot: name });
      return 0;
    }),
  );
}
