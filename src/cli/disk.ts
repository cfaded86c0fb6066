/** `vsb disk`: images of VMs, on qemu-img. Flags and what a person reads; the work is app/disk.ts's. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { toByteSize } from '../units/bytesize.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { ask } from './ask.ts';
import { addConvert } from './diskconvert.ts';
import { addSnapshot } from './disksnapshot.ts';
import { addLogOption, outputOption } from './options.ts';
import { interruptSignal, runVerb, writeData, writeError, type AddVerb } from './verb.ts';

export const add: AddVerb = (program) => {
  const disk = program
    .command('disk')
    .description('make, show, convert, resize, snapshot and check disk images');
  addCreate(disk);
  addInfo(disk);
  addConvert(disk);
  addResize(disk);
  addSnapshot(disk);
  addCheck(disk);
  disk.addHelpText('after', '\nExample:\n  vsb disk create web1.qcow2 --size 10G --base debian.qcow2\n');
};

interface CreateFlags {
  readonly logLevel: string;
  readonly size?: number;
  readonly format?: 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vhdx';
  readonly base?: string;
  readonly baseFormat?: string;
  readonly preallocate?: boolean;
  readonly clusterSize?: number;
  readonly compression?: 'zlib' | 'zstd';
  readonly encrypt?: boolean;
  readonly secretFile?: string;
}

function addCreate(disk: Command): void {
  const command = disk
    .command('create')
    .description('make an image; never over a file that is there')
    .argument('<image>', 'path of the new image')
    .addOption(
      new Option('--size <size>', 'what the guest sees: 500M, 10G (default: that of the base)')
        .argParser(toSize)
        .env('VSB_DISK_SIZE'),
    )
    .addOption(formatOption('format of the image (default: by its ending, else qcow2)'))
    .addOption(new Option('--base <image>', 'begin as this image, which stays as it is').env('VSB_DISK_BASE'))
    .addOption(
      new Option('--base-format <format>', 'format of the base (default: as it looks)').env(
        'VSB_DISK_BASE_FORMAT',
      ),
    )
    .addOption(new Option('--preallocate', 'take all of its room now').env('VSB_DISK_PREALLOCATE'))
    .addOption(
      new Option('--cluster-size <size>', 'qcow2: bytes of a cluster, 512 to 2M')
        .argParser(toSize)
        .env('VSB_DISK_CLUSTER_SIZE'),
    )
    .addOption(
      new Option('--compression <type>', 'qcow2: how clusters are compressed where they are')
        .choices(['zlib', 'zstd'])
        .env('VSB_DISK_COMPRESSION'),
    )
    .addOption(
      new Option('--encrypt', 'qcow2: LUKS, with the passphrase of --secret-file').env('VSB_DISK_ENCRYPT'),
    )
    .addOption(
      new Option('--secret-file <file>', 'passphrase: the first line of this file; - for stdin').env(
        'VSB_DISK_SECRET_FILE',
      ),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  vsb disk create web1.qcow2 --size 10G --base debian.qcow2\n' +
        '  vsb disk create data.img --size 100G --preallocate\n' +
        '  pass show web1 | vsb disk create web1.qcow2 --size 10G --encrypt --secret-file -\n',
    );
  addLogOption(command).action((image: string, flags: CreateFlags) =>
    runVerb(flags.logLevel, async () => {
      const [{ createDisk }, output] = await Promise.all([
        import('../app/disk.ts'),
        import('../output/disk.ts'),
      ]);
      const { size, clusterSize, encrypt, secretFile, format, base, baseFormat, preallocate, compression } =
        flags;
      const made = await createDisk(image, {
        format,
        base,
        baseFormat,
        preallocate: preallocate === true,
        compression,
        sizeBytes: size,
        clusterBytes: clusterSize,
        secret: encrypt === true ? await readSecret(secretFile) : undefined,
      });
      writeError(`${made.image}: made, ${made.format}, ${output.renderSize(made.virtualBytes)}`);
      return 0;
    }),
  );
}

function addInfo(disk: Command): void {
  const command = disk
    .command('info')
    .description('show what an image is: sizes, chain, snapshots, who uses it')
    .argument('<image>', 'path of the image')
    .addOption(readAsOption())
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExample:\n  vsb disk info web1.qcow2 -o json\n');
  addLogOption(command).action(
    (image: string, flags: { logLevel: string; format?: string; output: 'table' | 'json' | 'yaml' }) =>
      runVerb(flags.logLevel, async () => {
        const { diskInfo } = await import('../app/disk.ts');
        const info = await diskInfo(image, flags.format);
        if (flags.output === 'table') {
          const { renderDisk } = await import('../output/disk.ts');
          writeData(renderDisk(info));
          return 0;
        }
        const { renderDocument } = await import('../output/document.ts');
        const { users, ...others } = info;
        const disk = { ...others, users: users.map(({ pid, vm }) => ({ pid, vm })) };
        writeData(renderDocument({ formatVersion: FORMAT_VERSION, disk }, flags.output));
        return 0;
      }),
  );
}

function addResize(disk: Command): void {
  const command = disk
    .command('resize')
    .description('change the size that the guest sees; partitions and file systems stay as they are')
    .argument('<image>', 'path of the image')
    .argument('<size>', 'the new size, 20G, or how much more, +10G', toNewSize)
    .addOption(readAsOption())
    .addOption(new Option('--shrink', 'cut off the end, with all that is there').env('VSB_DISK_SHRINK'))
    .addOption(
      new Option('--confirm <name>', 'with --shrink, the name of the image: instead of typing it').env(
        'VSB_DISK_CONFIRM',
      ),
    )
    .addHelpText(
      'after',
      '\nGrow the image first, then the partition, then the file system; shrink in the opposite order.\n' +
        '\nExamples:\n  vsb disk resize web1.qcow2 +10G\n  vsb disk resize web1.qcow2 5G --shrink --confirm web1.qcow2\n',
    );
  addLogOption(command).action(
    (
      image: string,
      wanted: ReturnType<typeof toNewSize>,
      flags: { logLevel: string; format?: string; shrink?: boolean; confirm?: string },
    ) =>
      runVerb(flags.logLevel, async () => {
        const [{ resizeDisk }, { renderSize }] = await Promise.all([
          import('../app/disk.ts'),
          import('../output/disk.ts'),
        ]);
        const confirmed = flags.shrink === true ? (flags.confirm ?? (await typedName(image))) : undefined;
        const { before, bytes } = await resizeDisk(image, wanted, { format: flags.format, confirmed });
        writeError(`${before.image}: ${renderSize(before.virtualBytes)} → ${renderSize(bytes)}`);
        if (bytes > before.virtualBytes)
          writeError('Now grow the partition, and the file system, in the guest.');
        return 0;
      }),
  );
}

function addCheck(disk: Command): void {
  const command = disk
    .command('check')
    .description('say whether an image is whole')
    .argument('<image>', 'path of the image')
    .addOption(readAsOption())
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExit status 1 where it is damaged.\n\nExample:\n  vsb disk check web1.qcow2\n');
  addLogOption(command).action(
    (image: string, flags: { logLevel: string; format?: string; output: 'table' | 'json' | 'yaml' }) =>
      runVerb(flags.logLevel, async () => {
        const { checkDisk } = await import('../app/disk.ts');
        const { format, outcome } = await checkDisk(image, flags.format);
        if (flags.output === 'table') writeData(`${image}: ${format}, ${CHECKED[outcome]}\n`);
        else {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument({ formatVersion: FORMAT_VERSION, image, format, outcome }, flags.output));
        }
        return outcome === 'corrupt' ? 1 : 0;
      }),
  );
}

const CHECKED = {
  ok: 'whole',
  leaks: 'whole, with room that nothing uses any more ("qemu-img check -r leaks" frees it)',
  corrupt: 'DAMAGED: parts are missing or point nowhere',
  unknown: 'which has nothing to check',
} as const;

/** Typed by a person, who may have taken it for another image. */
function typedName(image: string): Promise<string | undefined> {
  const question = `This cuts off the end of ${image}. Type the name of the image to go on: `;
  return ask(question, 'Give --confirm NAME.', interruptSignal());
}

/** The first line, from a file or from stdin; never from the command line, which is public. */
async function readSecret(file: string | undefined): Promise<string> {
  const [{ readFile }, { text: readAll }] = await Promise.all([
    import('node:fs/promises'),
    import('node:stream/consumers'),
  ]);
  const { fail } = await import('../errors.ts');
  if (file === undefined)
    throw fail('USAGE', { what: '--encrypt needs a passphrase. Give --secret-file FILE, or - for stdin.' });
  const read = file === '-' ? readAll(process.stdin) : readFile(file, 'utf8');
  const text = await read.catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw fail('FILE_UNREADABLE', { path: file, why }, { cause });
  });
  const [secret = ''] = text.split('\n');
  if (secret === '') throw fail('USAGE', { what: 'The passphrase is empty. Put it in the first line.' });
  return secret;
}

function formatOption(what: string): Option {
  return new Option('--format <format>', what)
    .choices(['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx'])
    .env('VSB_DISK_FORMAT');
}

function readAsOption(): Option {
  return formatOption(
    'format of the image (default: as it looks; raw has to be said where the name does not)',
  );
}

/** `20G`, or `+10G` for so much more. */
function toNewSize(text: string): { readonly bytes: number; readonly isMore: boolean } {
  return { bytes: toSize(text.replace(/^\+/, '')), isMore: text.startsWith('+') };
}

function toSize(text: string): number {
  const bytes = toByteSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('Write a size such as 512k, 500M, 10G.');
  return bytes;
}
