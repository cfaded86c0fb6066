/** `vsb compare`: what each way of a packet is worth, measured here and now. */
import { InvalidArgumentError, Option } from 'commander';
import { fileURLToPath } from 'node:url';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { addLogOption, outputOption } from './options.ts';
import { interruptSignal, runVerb, writeData, writeError, type AddVerb } from './verb.ts';

interface Flags {
  readonly logLevel: string;
  readonly ways?: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  readonly kernel: string;
  readonly initrd: string;
  readonly svg?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

/** Where scripts/guest-image builds it, seen from src/cli and from dist/cli. */
const IMAGES = fileURLToPath(new URL('../../topologies/images/', import.meta.url));

export const add: AddVerb = (program) => {
  const command = program
    .command('compare')
    .description(
      'boot two guests and measure what each model and backend is worth here: bit/s, 64-byte frames/s',
    )
    .addOption(
      new Option(
        '--ways <ways>',
        'MODEL/BACKEND/SWITCH with commas, such as virtio/tap/ovs,virtio/macvtap (default: eight)',
      )
        .argParser((text: string) => text.split(','))
        .env('VSB_COMPARE_WAYS'),
    )
    .addOption(count('--rounds <number>', 'how often each way is measured', 3, 'VSB_COMPARE_ROUNDS'))
    .addOption(count('--seconds <number>', 'how long each measurement takes', 4, 'VSB_COMPARE_SECONDS'))
    .addOption(
      new Option('--accel <accelerator>', 'auto: KVM where it boots the kernel, else emulation (tcg)')
        .choices(['auto', 'kvm', 'tcg'])
        .default('auto')
        .env('VSB_ACCEL'),
    )
    .addOption(
      new Option('--kernel <file>', 'kernel of the small guest that scripts/guest-image builds')
        .default(`${IMAGES}vmlinux`, 'topologies/images/vmlinux')
        .env('VSB_COMPARE_KERNEL'),
    )
    .addOption(
      new Option('--initrd <file>', 'its initial RAM disk')
        .default(`${IMAGES}initrd.gz`, 'topologies/images/initrd.gz')
        .env('VSB_COMPARE_INITRD'),
    )
    .addOption(new Option('--svg <file>', 'write bars, too').env('VSB_COMPARE_SVG'))
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      '\nA private Open vSwitch and its guests live in a directory and a namespace of their own, and are gone afterwards.\n' +
        '\nscripts/guest-image builds the guest that measures.\n\nExamples:\n  vsb compare\n  vsb compare --ways virtio/tap/ovs,e1000/tap/ovs --rounds 5 --svg compare.svg\n',
    );
  addLogOption(command).action((flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [{ compare }, { DEFAULT_WAYS }, output] = await Promise.all([
        import('../app/compare.ts'),
        import('../app/comparisonways.ts'),
        import('../output/compare.ts'),
      ]);
      const comparison = await compare({
        ways: flags.ways ?? DEFAULT_WAYS,
        rounds: flags.rounds,
        seconds: flags.seconds,
        accelerator: flags.accel,
        kernel: flags.kernel,
        initrd: flags.initrd,
        signal: interruptSignal(),
        onProgress: (text) => {
          writeError(`vsb: ${text}`);
        },
      });
      if (flags.svg !== undefined) await writeSvg(flags.svg, output.renderComparisonSvg(comparison));
      if (flags.output === 'table') writeData(output.renderComparison(comparison));
      else {
        const { renderDocument } = await import('../output/document.ts');
        writeData(renderDocument({ formatVersion: FORMAT_VERSION, ...comparison }, flags.output));
      }
      return 0;
    }),
  );
};

async function writeSvg(path: string, svg: string): Promise<void> {
  const [{ writeFile }, { fail }] = await Promise.all([import('node:fs/promises'), import('../errors.ts')]);
  await writeFile(path, svg).catch((cause: unknown) => {
    throw fail(
      'FILE_UNWRITABLE',
      { path, why: cause instanceof Error ? cause.message : String(cause) },
      { cause },
    );
  });
}

function count(flags: string, what: string, value: number, variable: string): Option {
  return new Option(flags, what)
    .argParser((text: string) => {
      const number = Number(text);
      if (!Number.isInteger(number) || number < 1 || number > 100)
        throw new InvalidArgumentError('Write a whole number from 1 to 100.');
      return number;
    })
    .default(value)
    .env(variable);
}
