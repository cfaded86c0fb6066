/** `vsb disk convert`: the same contents as another image. */
import { Option, type Command } from 'commander';
import { addLogOption } from './options.ts';
import { interruptSignal, runVerb, writeError } from './verb.ts';

interface ConvertFlags {
  readonly logLevel: string;
  readonly format?: 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vhdx';
  readonly sourceFormat?: string;
  readonly compress?: boolean;
  readonly snapshot?: string;
  readonly force?: boolean;
}

export function addConvert(disk: Command): void {
  const formats = ['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx'];
  const command = disk
    .command('convert')
    .description('write the contents of an image as another one; the first is only read')
    .argument('<source>', 'path of the image')
    .argument('<target>', 'path of the new image')
    .addOption(
      new Option('--format <format>', 'format of the new image (default: by its ending, else qcow2)')
        .choices(formats)
        .env('VSB_DISK_FORMAT'),
    )
    .addOption(
      new Option('--source-format <format>', 'format of the source (default: as it looks)')
        .choices(formats)
        .env('VSB_DISK_SOURCE_FORMAT'),
    )
    .addOption(new Option('--compress', 'smaller, and slower to write').env('VSB_DISK_COMPRESS'))
    .addOption(new Option('--snapshot <name>', 'from an internal snapshot').env('VSB_DISK_SNAPSHOT'))
    .addOption(
      new Option('--force', 'in place of a file that is there, when the new one is whole').env(
        'VSB_DISK_FORCE',
      ),
    )
    .addHelpText(
      'after',
      '\nThe source is checked first, space is seen to, and the target is there when it is whole, or not at all.\n' +
        '\nExamples:\n  vsb disk convert old.vmdk web1.qcow2\n  vsb disk convert web1.qcow2 small.qcow2 --compress\n',
    );
  addLogOption(command).action((source: string, target: string, flags: ConvertFlags) =>
    runVerb(flags.logLevel, async () => {
      await convert(source, target, flags);
      return 0;
    }),
  );
}

/** Also what `snapshot extract` does. */
export async function convert(source: string, target: string, flags: ConvertFlags): Promise<void> {
  const [{ convertDisk }, { renderSize }] = await Promise.all([
    import('../app/disk.ts'),
    import('../output/disk.ts'),
  ]);
  const { stderr } = process;
  const made = await convertDisk(source, target, {
    format: flags.format,
    sourceFormat: flags.sourceFormat,
    compress: flags.compress === true,
    snapshot: flags.snapshot,
    replace: flags.force === true,
    signal: interruptSignal(),
    ...(stderr.isTTY ? { onProgress: drawBar } : {}),
  });
  if (stderr.isTTY) stderr.write('\r\x1b[K');
  writeError(
    `${made.image}: ${made.format}, ${renderSize(made.virtualBytes)}, ${renderSize(made.allocatedBytes)} on the disk`,
  );
}

const BAR_CELLS = 40;

function drawBar(percent: number): void {
  const full = Math.round((percent / 100) * BAR_CELLS);
  process.stderr.write(
    `\r${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${percent.toFixed(0).padStart(3)} %`,
  );
}
