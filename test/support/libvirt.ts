/**
 * A libvirt of the test's own: libvirtd with its configuration, state and socket in a directory, in the network namespace of
 * a test sandbox. Nothing of the host's libvirt is touched; it ends with the test.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../src/process/run.ts';
import { startRunning } from './running.ts';
import type { TestSandbox } from './sandbox.ts';

export interface TestLibvirt extends AsyncDisposable {
  readonly uri: string;
  virsh(...args: readonly string[]): Promise<string>;
}

const START_LIMIT_MS = 20_000;

/** Over the host's directories in a mount namespace, which `ip netns exec` gives. */
const SCRIPT = `
set -e
mount --make-rprivate /
mkdir -p /run/libvirt /var/lib/libvirt
mount --bind "$DIR/etc" /etc/libvirt
mount --bind "$DIR/run" /run/libvirt
mount --bind "$DIR/var" /var/lib/libvirt
exec libvirtd --config "$DIR/libvirtd.conf" --pid-file "$DIR/libvirtd.pid"
`;

export async function startTestLibvirt(sandbox: TestSandbox): Promise<TestLibvirt> {
  if (sandbox.netns === undefined) throw new Error('libvirt needs a sandbox with a network namespace');
  const directory = await mkdtemp(join(tmpdir(), 'vsb-lv'));
  for (const name of ['etc', 'run', 'var']) await mkdir(join(directory, name));
  const qemuConf = ['security_driver="none"', 'user="root"', 'group="root"', 'stdio_handler="file"'];
  await writeFile(
    join(directory, 'etc/qemu.conf'),
    [...qemuConf, 'cgroup_controllers=[]', 'namespaces=[]', ''].join('\n'),
  );
  const socket = join(directory, 'run/libvirt-sock');
  await writeFile(
    join(directory, 'libvirtd.conf'),
    `unix_sock_dir="${join(directory, 'run')}"\nauth_unix_rw="none"\n`,
  );
  const daemon = startRunning(['ip', 'netns', 'exec', sandbox.netns, 'sh', '-c', SCRIPT], {
    ...sandbox.env,
    DIR: directory,
  });
  const uri = `qemu+unix:///system?socket=${socket}`;
  const virsh = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run('virsh', ['--quiet', '--connect', uri, ...args], {
      timeoutMs: START_LIMIT_MS,
    });
    if (status !== 0) throw new Error(`virsh ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const startMs = performance.now();
  for (;;) {
    try {
      await virsh('list');
      break;
    } catch (error) {
      if (performance.now() - startMs > START_LIMIT_MS) {
        await daemon[Symbol.asyncDispose]();
        throw error;
      }
      await delay(50);
    }
  }
  return {
    uri,
    virsh,
    async [Symbol.asyncDispose]() {
      for (const name of (await virsh('list', '--name')).split('\n').filter((each) => each !== ''))
        await virsh('destroy', name);
      await daemon[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
