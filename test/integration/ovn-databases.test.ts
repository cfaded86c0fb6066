import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { ovnNorthbound, type OvnNorthboundTables } from '../../src/ovsdb/generated/ovn-nb.ts';
import { ovnSouthbound, type OvnSouthboundTables } from '../../src/ovsdb/generated/ovn-sb.ts';
import { toUuid } from '../../src/ovsdb/schema/schema.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

const run = promisify(execFile);
const schemaPath = (name: string) =>
  fileURLToPath(new URL(`../../src/ovsdb/generated/${name}.ovsschema`, import.meta.url));
const LIMITS = { connectTimeoutMs: 5000, requestTimeoutMs: 10_000 };

describe('OVN_Northbound', () => {
  let server: OvsdbServer;
  let client: OvsdbClient<OvnNorthboundTables>;
  const nbctl = async (...args: readonly string[]) =>
    (await run('ovn-nbctl', ['--timeout=10', `--db=${server.remote}`, ...args])).stdout;

  before(async () => {
    server = await OvsdbServer.start({ schemaPath: schemaPath('ovn-nb'), init: false });
    await nbctl('init');
    client = await OvsdbClient.connect({
      remote: server.remote,
      schema: ovnNorthbound,
      columns: {
        NB_Global: ['nb_cfg'],
        Logical_Switch: ['name', 'ports', 'acls', 'other_config', 'load_balancer'],
        Logical_Switch_Port: ['name', 'type', 'addresses', 'options', 'tag', 'enabled', 'up'],
        ACL: ['name', 'priority', 'direction', 'match', 'action', 'log', 'severity'],
        Logical_Router: ['name', 'nat', 'ports', 'static_routes'],
        Logical_Router_Port: ['name', 'mac', 'networks'],
        NAT: ['type', 'external_ip', 'logical_ip', 'external_port_range'],
        Load_Balancer: ['name', 'vips', 'protocol'],
      },
      ...LIMITS,
    });
  });

  after(async () => {
    await client.close();
    const log = server.log();
    await server[Symbol.asyncDispose]();
    expect(log).to.not.include('bad JSON-RPC message');
  });

  const find = async <T>(what: () => T | undefined): Promise<T> =>
    client.waitFor(what, { timeoutMs: 10_000 });

  it('shows what ovn-nbctl makes, by typed references', async () => {
    await nbctl('ls-add', 'sw0', '--', 'lsp-add', 'sw0', 'vm1', '--', 'lsp-set-addresses', 'vm1', 'dynamic');
    await nbctl(
      '--name=web',
      '--log',
      '--severity=info',
      'acl-add',
      'sw0',
      'to-lport',
      '1001',
      'tcp.dst == 80',
      'drop',
    );
    await nbctl('lb-add', 'lb0', '10.0.0.1:80', '10.0.1.1:80,10.0.1.2:80', '--', 'ls-lb-add', 'sw0', 'lb0');
    const snapshot = await find(() => {
      const now = client.snapshot();
      return now.table('Load_Balancer').size === 1 ? now : undefined;
    });
    const [sw0] = snapshot.table('Logical_Switch').values();
    if (!sw0) throw new Error('no switch');
    expect(sw0.name).to.equal('sw0');
    const [port] = sw0.ports.map((uuid) => snapshot.row('Logical_Switch_Port', uuid));
    expect(port).to.deep.include({ name: 'vm1', type: '', addresses: ['dynamic'], tag: undefined });
    const [acl] = sw0.acls.map((uuid) => snapshot.row('ACL', uuid));
    expect(acl).to.deep.include({
      name: 'web',
      priority: 1001,
      direction: 'to-lport',
      match: 'tcp.dst == 80',
      action: 'drop',
      log: true,
      severity: 'info',
    });
    const [lb] = sw0.load_balancer.map((uuid) => snapshot.row('Load_Balancer', uuid));
    expect(lb?.vips).to.deep.equal(new Map([['10.0.0.1:80', '10.0.1.1:80,10.0.1.2:80']]));
  });

  it('shows ovn-nbctl what we make', async () => {
    const transaction = new Transaction(ovnNorthbound);
    const port = transaction.insert('Logical_Switch_Port', {
      name: 'vm2',
      addresses: ['52:54:00:00:00:02 10.0.0.2'],
      tag: 7,
      enabled: false,
    });
    const acl = transaction.insert('ACL', {
      priority: 900,
      direction: 'from-lport',
      match: 'ip4',
      action: 'allow-related',
    });
    transaction.insert('Logical_Switch', { name: 'sw1', ports: [port], acls: [acl] });
    const nat = transaction.insert('NAT', {
      type: 'snat',
      external_ip: '172.16.0.1',
      logical_ip: '10.0.0.0/24',
    });
    const lrp = transaction.insert('Logical_Router_Port', {
      name: 'lrp0',
      mac: '52:54:00:00:00:fe',
      networks: ['10.0.0.254/24'],
    });
    transaction.insert('Logical_Router', { name: 'lr0', nat: [nat], ports: [lrp] });
    const outcome = await client.transact(transaction);
    expect(outcome).to.include({ outcome: 'success' });

    expect(await nbctl('show', 'sw1')).to.match(
      /port vm2\n(?:.*\n)*.*addresses: \["52:54:00:00:00:02 10\.0\.0\.2"\]/,
    );
    expect(await nbctl('lsp-get-tag', 'vm2')).to.equal('7\n');
    expect(await nbctl('lsp-get-enabled', 'vm2')).to.equal('disabled\n');
    expect((await nbctl('acl-list', 'sw1')).trim()).to.equal('from-lport   900 (ip4) allow-related');
    expect(await nbctl('lr-nat-list', 'lr0')).to.match(/snat\s+172\.16\.0\.1\s+10\.0\.0\.0\/24/);
    expect(await nbctl('lrp-list', 'lr0')).to.include('(lrp0)');
  });

  it('loses a port when ovn-nbctl deletes its switch', async () => {
    const [vm2] = [...client.snapshot().table('Logical_Switch_Port').values()].filter(
      ({ name }) => name === 'vm2',
    );
    if (!vm2) throw new Error('no port');
    await nbctl('ls-del', 'sw1');
    await find(() => (client.snapshot().row('Logical_Switch_Port', vm2._uuid) ? undefined : true));
    expect([...client.snapshot().table('ACL').values()].map(({ priority }) => priority)).to.deep.equal([
      1001,
    ]);
  });

  it('refuses what the schema does not allow', () => {
    const transaction = new Transaction(ovnNorthbound);
    const acl = { direction: 'to-lport', match: 'ip4', action: 'drop' } as const;
    expect(() => transaction.insert('ACL', { ...acl, priority: 32768 })).to.throw('not between 0 and 32767');
    expect(() => transaction.insert('ACL', { ...acl, priority: 1, name: 'x'.repeat(64) })).to.throw(
      'characters long',
    );
  });
});

describe('OVN_Southbound', () => {
  let server: OvsdbServer;
  let client: OvsdbClient<OvnSouthboundTables>;
  const sbctl = async (...args: readonly string[]) =>
    (await run('ovn-sbctl', ['--timeout=10', `--db=${server.remote}`, ...args])).stdout;

  before(async () => {
    server = await OvsdbServer.start({ schemaPath: schemaPath('ovn-sb'), init: false });
    await sbctl('init');
    client = await OvsdbClient.connect({
      remote: server.remote,
      schema: ovnSouthbound,
      columns: {
        Chassis: ['name', 'hostname', 'encaps', 'other_config'],
        Encap: ['type', 'ip', 'chassis_name', 'options'],
        Datapath_Binding: ['tunnel_key', 'external_ids'],
        Port_Binding: ['logical_port', 'datapath', 'tunnel_key', 'chassis', 'type', 'up'],
        Logical_Flow: ['logical_datapath', 'pipeline', 'table_id', 'priority', 'match', 'actions'],
      },
      ...LIMITS,
    });
  });

  after(async () => {
    await client.close();
    const log = server.log();
    await server[Symbol.asyncDispose]();
    expect(log).to.not.include('bad JSON-RPC message');
  });

  it('shows what ovn-sbctl makes, and ovn-sbctl what we make', async () => {
    await sbctl('chassis-add', 'hv1', 'geneve', '127.0.0.1');
    const encap = await client.waitFor((now) => now.table('Encap').values().next().value, {
      timeoutMs: 10_000,
    });
    expect(encap).to.include({ type: 'geneve', ip: '127.0.0.1', chassis_name: 'hv1' });
    const [hv1] = client.snapshot().table('Chassis').values();
    expect(hv1?.encaps).to.deep.equal([encap._uuid]);

    const transaction = new Transaction(ovnSouthbound);
    const uuid = toUuid('5f0c2c2e-8b1a-4b52-9a36-3e1f1f8f6a11');
    const datapath = transaction.insert('Datapath_Binding', { tunnel_key: 1 }, { uuid });
    transaction.insert('Port_Binding', { logical_port: 'vm1', datapath, tunnel_key: 1 });
    transaction.insert('Logical_Flow', {
      logical_datapath: datapath,
      pipeline: 'ingress',
      table_id: 0,
      priority: 50,
      match: 'inport == "vm1"',
      actions: 'next;',
    });
    expect(await client.transact(transaction)).to.include({ outcome: 'success' });
    expect(await sbctl('lflow-list', uuid)).to.match(
      /priority=50\s*, match=\(inport == "vm1"\), action=\(next;\)/,
    );
    await sbctl('lsp-bind', 'vm1', 'hv1');
    const bound = await client.waitFor(
      (now) => [...now.table('Port_Binding').values()].find(({ chassis }) => chassis !== undefined),
      { timeoutMs: 10_000 },
    );
    expect(bound).to.include({ logical_port: 'vm1', datapath: uuid, chassis: hv1?._uuid });
  });
});
