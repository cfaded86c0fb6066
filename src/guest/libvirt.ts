/**
 * Domains of libvirt, through virsh(1): found, started, ended. A VM that vsb starts is a transient domain: nothing of it is
 * left when it has ended, and its definition is the topology alone.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, VsbError } from '../errors.ts';
import { run, type RunResult } from '../process/run.ts';
import { readDomains, type Domain } from './libvirt-domains.ts';

/** Which libvirt. */
export interface Libvirt {
  /** Its URI; `undefined`: as virsh chooses it (LIBVIRT_DEFAULT_URI, or qemu:///system for root). */
  readonly uri: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const VIRSH = 'virsh';
/** libvirt answers in milliseconds, and starts QEMU in a second; a host that swaps takes longer. */
const ASK_MS = 10_000;
const START_MS = 60_000;
/** Between two looks at a domain that is to end. */
const LOOK_EVERY_MS = 100;
/** What virsh says where there is none (VIR_ERR_NO_DOMAIN). */
const NO_DOMAIN = /failed to get domain|Domain not found/;

/** All domains, also those that do not run. @throws LIBVIRT_FAILED, PROGRAM_MISSING, PROGRAM_TIMEOUT, CANCELLED */
export async function findDomains(libvirt: Libvirt): Promise<Domain[]> {
  const uuids = (await ask(libvirt, 'listing domains', ['list', '--all', '--uuid']))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (uuids.length === 0) return [];
  // One virsh for all of them; a domain that has ended meanwhile is only complained of.
  const { stdout } = await virsh(libvirt, [uuids.map((uuid) => `dumpxml ${uuid}`).join('; ')], ASK_MS);
  return readDomains(stdout);
}

/**
 * Starts a transient domain.
 * @returns false where it runs already
 * @throws LIBVIRT_NAME_TAKEN, LIBVIRT_FAILED with what libvirt said, PROGRAM_MISSING, PROGRAM_TIMEOUT, CANCELLED
 */
export async function createDomain(
  libvirt: Libvirt,
  { name, uuid, xml }: { readonly name: string; readonly uuid: string; readonly xml: string },
): Promise<boolean> {
  if (await isRunning(libvirt, uuid)) return false;
  const { status, stdout } = await virsh(libvirt, ['domuuid', '--domain', name], ASK_MS);
  const taken = stdout.trim();
  if (status === 0 && taken !== uuid) throw fail('LIBVIRT_NAME_TAKEN', { vm: name, uuid: taken });
  // A file, since virsh opens what it is given by name, and a socket has none.
  const directory = await mkdtemp(join(tmpdir(), 'vsb-domain-'));
  try {
    const file = join(directory, 'domain.xml');
    await writeFile(file, xml);
    const result = await virsh(libvirt, ['create', '--file', file], START_MS);
    if (result.status !== 0) throw failed(`starting "${name}"`, result);
    return true;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Ends a domain: its power button, then, or where `force` is given, the end of QEMU.
 * @throws LIBVIRT_FAILED, PROGRAM_TIMEOUT, CANCELLED
 */
export async function endDomain(
  libvirt: Libvirt,
  uuid: string,
  options: { readonly force: boolean; readonly powerdownMs: number },
): Promise<'powered-down' | 'quit' | 'not-running'> {
  if (!(await isRunning(libvirt, uuid))) return 'not-running';
  if (!options.force) {
    await ask(libvirt, 'pressing the power button', ['shutdown', '--domain', uuid, '--mode', 'acpi']);
    const startMs = performance.now();
    while (performance.now() - startMs < options.powerdownMs) {
      if (!(await isRunning(libvirt, uuid))) return 'powered-down';
      await delay(LOOK_EVERY_MS);
    }
  }
  try {
    await ask(libvirt, 'ending QEMU', ['destroy', '--domain', uuid]);
  } catch (error) {
    if (error instanceof VsbError && error.code === 'LIBVIRT_FAILED' && !(await isRunning(libvirt, uuid)))
      return 'powered-down';
    throw error;
  }
  return 'quit';
}

/** True also for a domain that is paused. */
async function isRunning(libvirt: Libvirt, uuid: string): Promise<boolean> {
  const result = await virsh(libvirt, ['domstate', '--domain', uuid], ASK_MS);
  if (result.status === 0) return result.stdout.trim() !== 'shut off';
  if (NO_DOMAIN.test(result.stderr)) return false;
  throw failed('asking for a domain', result);
}

async function ask(libvirt: Libvirt, what: string, args: readonly string[]): Promise<string> {
  const result = await virsh(libvirt, args, ASK_MS);
  if (result.status !== 0) throw failed(what, result);
  return result.stdout;
}

function virsh({ uri, signal }: Libvirt, args: readonly string[], timeoutMs: number): Promise<RunResult> {
  const connect = uri === undefined ? [] : ['--connect', uri];
  return run(VIRSH, ['--quiet', ...connect, ...args], { timeoutMs, signal });
}

/** virsh says `error: what failed` and, in the next line, why. */
function failed(what: string, { status, stderr }: RunResult): VsbError {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^error:/, '').trim())
    .filter((line) => line !== '');
  return fail('LIBVIRT_FAILED', {
    what,
    said: lines.length > 0 ? lines.join(' / ') : `virsh ended with ${String(status)}`,
  });
}
