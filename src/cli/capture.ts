/** `vsb capture`: packets of VMs into a file, or into Wireshark. */
import { open, type FileHandle } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { CaptureEnd, CaptureResult } from '../app/capture.ts';
import type { SettingFlags } from '../app/settings.ts';
import { fail, type VsbError } from '../errors.ts';
import { addSwitchOptions, toDurationOption } from './options.ts';
import { interruptSignal, runVerb, writeError, type AddVerb } from './verb.ts';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly write: string;
  readonly filter?: string;
  readonly count?: number;
  readonly for?: number;
  readonly snaplen?: number;
};

/** libpcap's limit. */
const MAX_SNAP_LENGTH = 262_144;
/** What a timer of Node can wait: 2^31 - 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const add: AddVerb = (program) => {
  const command = program
    .command('capture')
    .summary('packets of VMs as pcapng, to a file or into Wireshark')
    .description(
      "Captures packets at the devices of VMs' NICs, of several at once into one pcapng file, in which interfaces have the " +
        'names of NICs, and packets the direction as the VM sees it (outbound: the VM sent it). Ends at --count or --for, ' +
        'with Ctrl-C, or when nobody reads on; the file is whole each time. A file that is there is written over, as by tcpdump.',
    )
    .argument('<nics...>', 'VM (all its NICs), VM:NIC, or device')
    .addOption(
      new Option('-w, --write <file>', 'where to write; "-": stdout')
        .makeOptionMandatory()
        .env('VSB_CAPTURE_WRITE'),
    )
    .addOption(
      new Option('--filter <expression>', 'only these packets, as for tcpdump: pcap-filter(7)').env(
        'VSB_CAPTURE_FILTER',
      ),
    )
    .addOption(
      new Option('--count <packets>', 'end after so many packets, of all NICs together')
        .argParser((text) => toNumberOption(text, Number.MAX_SAFE_INTEGER))
        .env('VSB_CAPTURE_COUNT'),
    )
    .addOption(
      new Option('--for <duration>', 'end after this time').argParser(toTimerOption).env('VSB_CAPTURE_FOR'),
    )
    .addOption(
      new Option('--snaplen <bytes>', 'keep only so much of each packet (default: all)')
        .argParser((text) => toNumberOption(text, MAX_SNAP_LENGTH))
        .env('VSB_CAPTURE_SNAPLEN'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  vsb capture web1:0 -w web1.pcapng --for 10s\n' +
        "  vsb capture web1 db1 --filter 'tcp port 5432' --count 1000 -w - | wireshark -k -i -\n",
    );
  addSwitchOptions(command).action((nics: readonly string[], flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      if (flags.write === '-' && process.stdout.isTTY)
        throw fail('USAGE', {
          what: 'A capture is not for a terminal: write it to a file (-w FILE), or into a pipe.',
        });
      const [{ capture }, { toSettings }] = await load();
      await using sink = flags.write === '-' ? new StdoutSink() : new FileSink(flags.write);
      const results = await capture({
        settings: toSettings(flags),
        nics,
        filter: flags.filter,
        count: flags.count,
        forMs: flags.for,
        snapLength: flags.snaplen,
        signal: interruptSignal(),
        write: (bytes) => sink.write(bytes),
        onStart: tellStart,
      });
      results.forEach(tellResult);
      return results.some(({ problem }) => problem !== undefined) ? 1 : 0;
    }),
  );
};

/** Apart: in a function that has `using`, tsc leaves the endings of imported files as they are. */
const load = () => Promise.all([import('../app/capture.ts'), import('../app/settings.ts')]);

interface Sink extends AsyncDisposable {
  write(bytes: Buffer): Promise<boolean>;
}

/** Opened when there is something to write: a capture that never begins leaves what is there. */
class FileSink implements Sink {
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(bytes: Buffer): Promise<boolean> {
    try {
      this.#file ??= await open(this.#path, 'w');
      await this.#file.writeFile(bytes);
      return true;
    } catch (thrown) {
      throw unwritable(this.#path, thrown);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}

class StdoutSink implements Sink {
  write(bytes: Buffer): Promise<boolean> {
    return new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => {
        if (!error) resolve(true);
        // Nobody reads on: `vsb capture … -w - | head`.
        else if ('code' in error && error.code === 'EPIPE') resolve(false);
        else reject(unwritable('stdout', error));
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function unwritable(path: string, thrown: unknown): VsbError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return fail('FILE_UNWRITABLE', { path, why }, { cause: thrown });
}

function tellStart(nics: readonly CaptureEnd[]): void {
  writeError(`vsb: Capturing at ${nics.map(renderNic).join(', ')}. Ctrl-C ends it.`);
}

function tellResult(result: CaptureResult): void {
  const { packets, dropped, problem } = result;
  writeError(`vsb: ${renderNic(result)}: ${String(packets)} packets.`);
  if (dropped !== undefined && dropped > 0)
    writeError(
      `vsb: warning: ${String(dropped)} more packets at ${result.name} were lost: they came faster than they could be ` +
        'written. Use --filter or --snaplen.',
    );
  if (problem !== undefined)
    writeError(`vsb: warning: The capture at ${result.name} ended early: ${problem}.`);
}

function renderNic({ name, device }: CaptureEnd): string {
  return name === device ? name : `${name} (${device})`;
}

function toNumberOption(text: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most)
    throw new InvalidArgumentError(`Write a whole number from 1 to ${String(most)}.`);
  return value;
}

function toTimerOption(text: string): number {
  const ms = toDurationOption(text);
  if (ms > LONGEST_TIMER_MS) throw new InvalidArgumentError('Write at most 24d.');
  return ms;
}
