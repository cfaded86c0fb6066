/**
 * What the OVSDB benchmarks share: a database of many VM ports, a raw request, and one side in a process of its own.
 * The rows are what `vsb apply` writes: per port a Port (name, tag, vlan_mode, external_ids) and an Interface (name,
 * ofport_request, seven external_ids).
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, URL } from 'node:url';
import { startSandbox, stopSandbox } from '../../dist/sandbox/sandbox.js';
import { SWITCH_COLUMNS } from '../../dist/switch/observe.js';

/** The columns that vsb holds of a switch; every replica that is measured holds these and no others. */
export const COLUMNS = SWITCH_COLUMNS;

/** A file of this directory. */
export function script(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

export const SCHEMA_FILE = script('../../src/ovsdb/generated/vswitch.ovsschema');

/** Python with Debian's python3-openvswitch, whatever other python3 is in PATH. */
export const PYTHON = '/usr/bin/python3';

/** Runs with a database that has one bridge of so many ports. */
export async function withPorts(ports, use) {
  const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
  const directory = join(scratch, 'db');
  try {
    const { sandbox } = await startSandbox({ directory, datapath: 'none', netns: undefined });
    await transact(sandbox.remote, portOperations(ports));
    return await use(sandbox.remote);
  } finally {
    await stopSandbox(directory);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Sends operations on Open_vSwitch, nothing around it. @returns their results */
export async function transact(remote, operations) {
  const { result } = JSON.parse(await request(remote, 'transact', ['Open_vSwitch', ...operations]));
  const failed = result.find((one) => one !== null && 'error' in one);
  if (failed) throw new Error(JSON.stringify(failed));
  return result;
}

/** One request over a socket of its own. @returns the text of the reply */
async function request(remote, method, params) {
  const socket = connect(remote.replace(/^unix:/, ''));
  socket.write(JSON.stringify({ id: 1, method, params }));
  const chunks = [];
  let tail = '';
  for await (const chunk of socket) {
    chunks.push(chunk);
    // The reply is the only message, and ends like this.
    tail = (tail + chunk.toString('latin1')).slice(-14);
    if (tail.endsWith('"error":null}')) break;
  }
  return Buffer.concat(chunks).toString();
}

function portOperations(ports) {
  const operations = [];
  const uuids = [];
  for (let index = 0; index < ports; index++) {
    const row = portRow(index);
    uuids.push(['named-uuid', `p${index}`]);
    operations.push(
      { op: 'insert', table: 'Interface', 'uuid-name': `i${index}`, row: row.iface },
      {
        op: 'insert',
        table: 'Port',
        'uuid-name': `p${index}`,
        row: { ...row.port, interfaces: ['named-uuid', `i${index}`] },
      },
    );
  }
  operations.push({
    op: 'insert',
    table: 'Bridge',
    'uuid-name': 'br0',
    row: { name: 'br0', datapath_type: 'netdev', ports: ['set', uuids] },
  });
  const bridges = [['bridges', 'insert', ['set', [['named-uuid', 'br0']]]]];
  return [...operations, { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: bridges }];
}

/** The columns of one VM's port and interface. */
function portRow(index) {
  const uuid = `00000000-0000-8000-8000-${String(index).padStart(12, '0')}`;
  const mac = `52:54:00:${[16, 8, 0].map((shift) => ((index >> shift) & 255).toString(16).padStart(2, '0')).join(':')}`;
  const ids = {
    'attached-mac': mac,
    'iface-id': uuid,
    'vm-id': uuid,
    vswitchboard: 'bench',
    'vswitchboard-network': 'web',
    'vswitchboard-nic': '0',
    'vswitchboard-vm': `vm${index}`,
  };
  return {
    port: {
      name: `vm${index}-0`,
      tag: 10,
      vlan_mode: 'access',
      external_ids: ['map', [['vswitchboard', 'bench']]],
    },
    iface: {
      name: `vm${index}-0`,
      ofport_request: 1 + (index % 65000),
      external_ids: ['map', Object.entries(ids)],
    },
  };
}

/** Python's, because Node does not tell what a child has used. What ovs-vsctl prints is nobody's to read. */
const MEASURE = `
import json, resource, subprocess, sys, time
out = subprocess.DEVNULL if sys.argv[1] == 'ovs-vsctl' else None
start = time.monotonic()
status = subprocess.run(sys.argv[1:], stdout=out).returncode
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({'wallMs': wall * 1e3, 'cpuMs': (used.ru_utime + used.ru_stime) * 1e3, 'peakMb': used.ru_maxrss / 1024}))
sys.exit(status)
`;

/**
 * Runs a command to its end, with the CPU and memory that it used. The last argument may be options: `onLine` gets each
 * line that it prints.
 * @returns `wallMs` from its start to its end, `cpuMs`, `peakMb`, and what its last line says as JSON
 */
export async function measure(...command) {
  const { onLine = () => undefined } = typeof command.at(-1) === 'object' ? command.pop() : {};
  // A group of its own, so that the side ends with the wrapper where the other end of it fails.
  const child = spawn(PYTHON, ['-c', MEASURE, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const lines = [];
  let failure;
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    Promise.resolve(onLine(line)).catch((cause) => {
      failure = cause;
      process.kill(-child.pid);
    });
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  if (failure) throw failure;
  if (child.exitCode !== 0) throw new Error(`${command.slice(0, 4).join(' ')} failed with ${child.exitCode}`);
  const used = JSON.parse(lines.pop());
  const last = lines.at(-1);
  return { ...used, ...(last?.startsWith('{') ? JSON.parse(last) : {}) };
}

/** The peers with their versions. */
export function peers() {
  const python = execFileSync(PYTHON, [
    '-c',
    'import ovs.version, ovs.json, sys; print("python %s, ovs %s, json parser in %s" % (sys.version.split()[0], ovs.version.VERSION, ovs.json.PARSER.upper()))',
  ]);
  const [server] = execFileSync('ovsdb-server', ['--version'], { encoding: 'utf8' }).split('\n');
  const [vsctl] = execFileSync('ovs-vsctl', ['--version'], { encoding: 'utf8' }).split('\n');
  return `node ${process.version}; ${python.toString().trim()}; ${server}; ${vsctl}`;
}

/** Columns by table, for people. */
export function countedColumns(columns) {
  return Object.entries(columns)
    .map(([table, names]) => `${table} (${names.join(', ')})`)
    .join(', ');
}

/** One side's figures on a line. */
export function printFigures(name, wallMs, cpuMs, peakMb) {
  const [wall, cpu, peak] = [wallMs, cpuMs, peakMb].map((figure) => figure.toFixed(0));
  console.log(
    `  ${name.padEnd(18)} ${wall.padStart(6)} ms wall ${cpu.padStart(6)} ms CPU ${peak.padStart(5)} MB at most`,
  );
}
