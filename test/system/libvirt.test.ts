/** VMs on a real libvirt over a real Open vSwitch: the XML that it takes, what it makes of it, starting, listing, stopping. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readDomains } from '../../src/guest/libvirt-domains.ts';
import { runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';
import { startTestLibvirt, type TestLibvirt } from '../support/libvirt.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const SUITE_LIMIT_MS = 120_000;

describe('libvirt', function () {
  this.timeout(SUITE_LIMIT_MS);
  let sandbox: TestSandbox;
  let libvirt: TestLibvirt;
  let directory: string;
  let image: { readonly kernel: string; readonly initrd: string };

  before(async () => {
    image = await guestImage();
    sandbox = await startTestSandbox({
      netns: true,
      announced: [
        /error (sending|receiving) Ethernet packet on|could not open network device/,
        // libvirt takes its tap away first, and then the port.
        /Network is down|No such device|lacks MTU/,
      ],
    });
    libvirt = await startTestLibvirt(sandbox);
    directory = await mkdtemp(join(tmpdir(), 'vsb-lvt'));
  });
  after(async () => {
    await libvirt[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
    await sandbox[Symbol.asyncDispose]();
  });

  async function file(name: string, vms: unknown): Promise<string> {
    const path = join(directory, `${name}.vsb.yaml`);
    const topology = {
      version: 1,
      name,
      bridges: { br0: { datapath: 'netdev', visibility: 'ports' } },
      networks: { lan: { bridge: 'br0', vlan: 10, cidr: '10.9.0.0/24' } },
      vms,
    };
    await writeFile(path, JSON.stringify(topology)); // JSON is YAML
    return path;
  }

  function run(...args: readonly string[]): Promise<RunResult> {
    const env = { ...sandbox.env, VSB_RUN_DIR: join(directory, 'run'), VSB_CONNECT: libvirt.uri };
    return vsb(args, { env, timeoutMs: SUITE_LIMIT_MS });
  }

  async function runWell(...args: readonly string[]): Promise<RunResult> {
    const result = await run(...args);
    expect(result.status, result.stderr).to.equal(0);
    return result;
  }

  it('takes the XML of every model and backend: by its schema, and by defining it', async () => {
    const settings = [
      '{ network: lan, limit: { sent: 500M, received: 1G }, mtu: 1400 }',
      '{ network: lan, model: e1000, vlan: { trunk: [10, 20], native: 20 } }',
      '{ network: lan, model: rtl8139, vlan: { trunk: [10, 20], native: 10, nativeTagged: true } }',
      '{ network: lan, backend: vhost-net, queues: 4, ring: { rx: 1024 }, vlan: { trunk: [10, 30-32] } }',
      '{ network: lan, backend: vhost-user, queues: 2, ring: { rx: 512, tx: 1024 } }',
      '{ network: lan, vlan: 0, offloads: { csum: false, tso: false, ufo: false } }',
      ...['virtio', 'e1000', 'rtl8139'].map((model) => `{ network: old, model: ${model} }`),
      ...['bridge', 'vepa', 'private', 'passthru'].map(
        (mode, place) => `{ network: out, backend: { macvtap: eno${String(place)}, mode: ${mode} } }`,
      ),
      '{ network: out, backend: { passthrough: "0000:03:00.1" } }',
    ];
    const disks =
      '[{ image: a.qcow2, base: b.img }, { image: c.vdi, bus: ide }, { image: d.img, readOnly: true }]';
    const path = join(directory, 'all.vsb.yaml');
    await writeFile(
      path,
      [
        'version: 1',
        'name: all',
        'bridges: { br0: { datapath: netdev } }',
        'networks: { lan: { bridge: br0, vlan: 10 }, old: { linuxBridge: lbr0 }, out: {} }',
        'vms:',
        `  disks: { disks: ${disks} }`,
        ...settings.map(
          (nic, place) =>
            `  vm${String(place)}: { boot: { kernel: "k&<>'", append: 'a="<b>"' }, nics: [${nic}] }`,
        ),
        '',
      ].join('\n'),
    );
    for (const ports of ['libvirt', 'vsb']) {
      const { stdout } = await runWell('vm', 'libvirt-xml', path, '--ports', ports, '--accel', 'tcg');
      const documents = stdout.split(/(?<=<\/domain>\n)/);
      expect(documents).to.have.lengthOf(settings.length + 1);
      for (const xml of documents) {
        const [domain] = readDomains(xml);
        if (!domain) throw new Error('no domain');
        const xmlFile = join(directory, 'domain.xml');
        await writeFile(xmlFile, xml);
        await runOrFail('virt-xml-validate', [xmlFile, 'domain'], { timeoutMs: 10_000 });
        await libvirt.virsh('define', '--file', xmlFile, '--validate');
        const [kept] = readDomains(await libvirt.virsh('dumpxml', domain.name));
        expect(kept).to.deep.equal(domain);
        await libvirt.virsh('undefine', domain.name);
      }
    }
  });

  it('makes of its ports what apply would make of them', async () => {
    const boot = { kernel: image.kernel, initrd: image.initrd };
    const nics = [
      { network: 'lan', limit: { received: '100M' } },
      { network: 'lan', model: 'e1000', vlan: { trunk: [10, 20], native: 20 } },
      { network: 'lan', vlan: { trunk: [10, 20], native: 10, nativeTagged: true } },
      { network: 'lan', vlan: 0 },
    ];
    const path = await file('own', { own: { memory: '64M', boot, nics } });
    const wanted = async (): Promise<unknown> => {
      const rows: unknown[] = [];
      for (const index of nics.keys()) {
        const name = `own-${String(index)}`;
        const [tag, trunks] = [
          await sandbox.vsctl('get', 'port', name, 'tag'),
          await sandbox.vsctl('get', 'port', name, 'trunks'),
        ];
        const ids = await sandbox.vsctl('get', 'interface', name, 'external_ids');
        const keys = ['attached-mac', 'iface-id', 'vm-id'].map(
          (key) => new RegExp(`${key}="?([^",}]*)`).exec(ids)?.[1],
        );
        rows.push([tag.trim(), trunks.trim(), keys]);
      }
      const qos = await sandbox.vsctl('get', 'port', 'own-0', 'qos');
      const rate = await sandbox.vsctl('get', 'qos', qos.trim(), 'other_config:max-rate');
      return { rows, rate: Math.round(Number(rate.replaceAll('"', '')) / 1e5) };
    };
    await runWell('apply', path, '--yes');
    const byApply = await wanted();
    await runWell('destroy', path, '--yes');
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    const { stdout } = await runWell('vm', 'libvirt-xml', path, '--accel', 'tcg');
    const xmlFile = join(directory, 'own.xml');
    await writeFile(xmlFile, stdout);
    await libvirt.virsh('create', '--file', xmlFile, '--paused');
    expect(await wanted()).to.deep.equal(byApply);
    await libvirt.virsh('destroy', 'own');
    await sandbox.vsctl('del-br', 'br0');
  });

  it('runs a VM on the ports of apply, which stay as they are', async () => {
    const boot = { kernel: image.kernel, initrd: image.initrd, append: 'console=ttyS0 quiet' };
    const path = await file('lv', {
      web1: {
        memory: '128M',
        boot,
        nics: [{ network: 'lan' }, { network: 'lan', model: 'e1000', vlan: 30 }],
      },
    });
    const early = await run('vm', 'start', path, '--with', 'libvirt', '--accel', 'tcg');
    expect(early.status).to.equal(1);
    expect(early.stderr).to.include('error[GUEST_TAP_MISSING]');
    await runWell('apply', path, '--yes');
    const started = await runWell('vm', 'start', path, '--with', 'libvirt', '--accel', 'tcg');
    expect(started.stderr).to.include("web1: started, libvirt's domain web1, tcg");
    expect((await runWell('vm', 'start', path, '--with', 'libvirt')).stderr).to.include(
      "already running, libvirt's domain web1",
    );
    expect(JSON.parse((await runWell('vm', 'list', '-o', 'json')).stdout)).to.deep.include({
      guests: [],
      domains: [
        {
          topology: 'lv',
          vm: 'web1',
          status: 'running',
          accelerator: 'tcg',
          nics: JSON.parse(
            JSON.stringify([await nicOf('web1-0', 'virtio'), await nicOf('web1-1', 'e1000')]),
          ) as unknown,
        },
      ],
    });
    expect((await runWell('vm', 'list', path)).stdout).to.match(
      /lv +web1 +running +libvirt .*web1-0 web1-1\n/,
    );
    expect((await runWell('plan', path)).stdout).to.include('nothing to change');
    // QEMU has both taps open: the switch sees their carrier.
    expect((await sandbox.vsctl('get', 'interface', 'web1-0', 'link_state')).trim()).to.equal('up');
    const stopped = await runWell('vm', 'stop', path, '--force');
    expect(stopped.stderr).to.equal('web1: stopped, without its power button\n');
    expect((await runWell('plan', path)).stdout).to.include('nothing to change');
    expect(await libvirt.virsh('list', '--all', '--name')).to.match(/^\s*$/);
    await runWell('destroy', path, '--yes');
  });

  async function nicOf(device: string, model: string): Promise<object> {
    const ids = await sandbox.vsctl('get', 'interface', device, 'external_ids:attached-mac');
    return { mac: ids.trim().replaceAll('"', ''), device, type: 'ethernet', model };
  }

  it('keeps a domain of somebody else that has the name', async () => {
    const boot = { kernel: image.kernel };
    const path = await file('taken', { web1: { memory: '64M', boot, nics: [] } });
    const xmlFile = join(directory, 'other.xml');
    await writeFile(
      xmlFile,
      '<domain type="qemu"><name>web1</name><memory>1024</memory><os><type>hvm</type></os></domain>',
    );
    await libvirt.virsh('define', '--file', xmlFile);
    const { status, stderr } = await run('vm', 'start', path, '--with', 'libvirt', '--accel', 'tcg');
    expect(status).to.equal(1);
    expect(stderr).to.include('error[LIBVIRT_NAME_TAKEN]');
    expect((await runWell('vm', 'list')).stdout).to.match(/^- +web1 +stopped +libvirt/m);
    await libvirt.virsh('undefine', 'web1');
  });

  it('is not needed where nobody asks for it, and named where somebody does', async () => {
    const path = await file('none', { web1: { memory: '64M', boot: { kernel: image.kernel }, nics: [] } });
    const none = {
      ...sandbox.env,
      VSB_RUN_DIR: join(directory, 'none'),
      LIBVIRT_DEFAULT_URI: 'qemu+unix:///system?socket=/nowhere',
    };
    const list = await vsb(['vm', 'list'], { env: none });
    expect(list.status, list.stderr).to.equal(0);
    const asked = await vsb(['vm', 'start', path, '--with', 'libvirt', '--accel', 'tcg'], { env: none });
    expect(asked.status).to.equal(1);
    expect(asked.stderr).to.match(/error\[LIBVIRT_FAILED\]: .*\/nowhere/);
    const waiting = await vsb(['vm', 'start', path, '--with', 'libvirt', '--wait', 'x'], { env: none });
    expect(waiting.status).to.equal(64);
    expect(waiting.stderr).to.include('virsh console');
  });
});
