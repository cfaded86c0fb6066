/** What this host can do for guests, and what mends the rest. Each check has its own time limit; one that fails is a result. */
import { access, readFile } from 'node:fs/promises';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import { chooseAccelerator } from '../guest/accel.ts';
import { QEMU } from '../guest/qemu-args.ts';
import { diffHost } from '../host/diff.ts';
import { hostDomain } from '../host/domain.ts';
import { notOk, ok, type Check, type CheckName } from '../host/doctor/check.ts';
import { judgeDatapaths, judgeKernel } from '../host/doctor/kernelchecks.ts';
import { decodeKernelConfig, judgeVirtio } from '../host/doctor/kernelconfig.ts';
import { readKernelFacts } from '../host/doctor/kernelfacts.ts';
import { judgeSwitch, type SwitchFacts } from '../host/doctor/switchchecks.ts';
import { findControlSocket, askControl } from '../ovsdb/unixctl.ts';
import { runOrFail } from '../process/run.ts';
import { nicName, type DesiredState } from '../topology/desired.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';
import { loadTopology } from './topology.ts';

export type { Check };

export interface DoctorOptions {
  readonly settings: Settings;
  /** A topology, whose NICs are looked at too. */
  readonly file?: string | undefined;
  /** The configuration of a guest's kernel, also in gzip. */
  readonly guestConfig?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For each check. KVM boots a guest for up to 5 s; all else answers at once, or is stuck. */
const LIMIT_MS = 10_000;
/** A daemon answers between two rounds of its other work. */
const CONTROL = Object.freeze({ timeoutMs: 5000 });

/**
 * Looks at everything at once.
 * @returns the checks in the order of the host's layers: kernel, switch, guests, NICs
 * @throws FILE_UNREADABLE, TOPOLOGY_INVALID for the files; CANCELLED
 */
export async function doctor(options: DoctorOptions): Promise<readonly Check[]> {
  const { settings, file, guestConfig, signal } = options;
  const desired = file === undefined ? undefined : await loadTopology(file);
  const guest = guestConfig === undefined ? [] : [await checkGuestConfig(guestConfig)];
  const limited = (name: CheckName, run: (signal: AbortSignal) => Promise<readonly Check[]>) =>
    limit(name, run, signal);
  const groups = await Promise.all([
    limited('virtio-host', async () => judgeKernel(await readKernelFacts())),
    limited('ovs-database', (each) => checkSwitch(settings, each)),
    limited('ovs-datapaths', async () => [judgeDatapaths(await readKernelFacts())]),
    limited('qemu', checkQemu),
    limited('kvm', (each) => checkKvm(settings, each)),
    limited('libvirt', checkLibvirt),
  ]);
  const checks = [...guest, ...groups.flat()];
  if (!desired) return checks;
  return [...checks, ...(await limited('nics', () => checkNics(desired, settings, checks)))];
}

/** What a check found, or, where it did not come to its end, that. */
async function limit(
  name: CheckName,
  run: (signal: AbortSignal) => Promise<readonly Check[]>,
  cancel: AbortSignal | undefined,
): Promise<readonly Check[]> {
  const late = AbortSignal.timeout(LIMIT_MS);
  const signal = cancel ? AbortSignal.any([cancel, late]) : late;
  // What waits for a file or a lock need not heed the signal.
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(fail('CANCELLED', { what: `the check took longer than ${String(LIMIT_MS)} ms` }));
    });
  });
  try {
    return await Promise.race([run(signal), ended]);
  } catch (thrown) {
    if (cancel?.aborted) throw fail('CANCELLED', { what: 'not all was looked at' });
    return [failed(name, thrown)];
  }
}

/** Every message of ours says what to do. */
function failed(name: CheckName, thrown: unknown): Check {
  const error = toVsbError(thrown);
  return notOk(name, 'problem', textOf(error), 'mend what it says, then run this again');
}

async function checkGuestConfig(path: string): Promise<Check> {
  const bytes = await readFile(path).catch((thrown: unknown) => {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw fail('FILE_UNREADABLE', { path, why }, { cause: thrown });
  });
  const config = decodeKernelConfig(bytes);
  if (!config)
    throw fail('FILE_UNREADABLE', {
      path,
      why: "it is no kernel's configuration (no line CONFIG_…=y or =m)",
    });
  return judgeVirtio('virtio-guest', config);
}

async function checkSwitch(settings: Settings, signal: AbortSignal): Promise<readonly Check[]> {
  await using client = await connectSwitch(settings, { signal, follow: false });
  const snapshot = client.snapshot();
  const [root] = snapshot.table('Open_vSwitch').values();
  const facts: SwitchFacts = {
    version: root?.ovs_version,
    interfaceTypes: [...(root?.iface_types ?? [])],
    isDpdkInitialised: root?.dpdk_initialized ?? false,
    isUserspaceTsoOn: root?.other_config.get('userspace-tso-enable') === 'true',
    nextConfig: root?.next_cfg ?? 0n,
    currentConfig: root?.cur_cfg ?? 0n,
    userspaceBridges: [...snapshot.table('Bridge').values()]
      .filter(({ datapath_type: type }) => type === 'netdev')
      .map(({ name }) => name)
      .sort(),
    daemon: await askDaemon(settings.ovsRundir, signal),
  };
  return [ok('ovs-database', `ovsdb-server answers at ${settings.remote}`), ...judgeSwitch(facts)];
}

async function askDaemon(rundir: string, signal: AbortSignal): Promise<SwitchFacts['daemon']> {
  try {
    const socket = await findControlSocket(rundir);
    return { says: (await askControl(socket, 'version', [], { ...CONTROL, signal })).trim() };
  } catch (thrown) {
    const error = toVsbError(thrown);
    return { error: textOf(error) };
  }
}

async function checkQemu(signal: AbortSignal): Promise<readonly Check[]> {
  const said = await runOrFail(QEMU, ['--version'], { timeoutMs: LIMIT_MS, signal });
  return [ok('qemu', said.split('\n')[0] ?? '')];
}

async function checkKvm({ runDir }: Settings, signal: AbortSignal): Promise<readonly Check[]> {
  const { accelerator, reason } = await chooseAccelerator(undefined, runDir, signal);
  if (accelerator === 'kvm') return [ok('kvm', reason)];
  // Where the device is there no module is missing: what is below us does not do what KVM asks of it.
  const remedy = (await isThere('/dev/kvm'))
    ? 'see what KVM says with dmesg; in a VM its host must allow nested virtualisation; run as root or in group kvm'
    : 'switch VT-x or AMD-V on in the firmware (in a VM: nested virtualisation), then modprobe kvm_intel or kvm_amd';
  return [notOk('kvm', 'warning', `${reason}: guests are emulated`, remedy)];
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** It is for those who want it: that it does not run is no problem. */
async function checkLibvirt(signal: AbortSignal): Promise<readonly Check[]> {
  try {
    const said = await runOrFail('virsh', ['version', '--daemon'], { timeoutMs: LIMIT_MS, signal });
    const version = /Running against daemon: (\S+)/.exec(said)?.[1];
    return [ok('libvirt', `libvirtd ${version ?? 'answers'}`)];
  } catch (thrown) {
    const error = toVsbError(thrown);
    const remedy =
      error.code === 'PROGRAM_MISSING'
        ? 'apt-get install libvirt-daemon-system libvirt-clients'
        : 'systemctl start libvirtd';
    return [notOk('libvirt', 'warning', textOf(error), remedy)];
  }
}

/** Which NICs a plan would refuse for what this host lacks. */
async function checkNics(
  desired: DesiredState,
  { netns }: Settings,
  others: readonly Check[],
): Promise<readonly Check[]> {
  const { refusals } = diffHost(desired, await hostDomain({ netns }).observe(desired));
  const nics = desired.vms.flatMap((vm) => vm.nics);
  const dpdk = others.find(({ name }) => name === 'dpdk');
  const withoutDpdk = nics
    .filter(({ backend }) => backend.kind === 'vhost-user' && dpdk?.state !== 'ok')
    .map((nic) => {
      const why = dpdk ? `${dpdk.found}. Do this: ${dpdk.remedy ?? ''}` : 'Open vSwitch does not answer';
      return fail('VHOST_USER_UNAVAILABLE', { nic: nicName(nic), why });
    });
  const found = [
    ...refusals.map(({ kind, name, error }) => `${kind} ${name}: ${textOf(error)}`),
    ...withoutDpdk.map(textOf),
  ];
  if (found.length === 0)
    return [ok('nics', `all ${String(nics.length)} NICs of "${desired.name}" can run here`)];
  return found.map((each) => notOk('nics', 'problem', each, 'do what it says, or choose another backend'));
}

function textOf({ code, message }: VsbError): string {
  return `[${code}] ${message}`;
}
