/**
 * The registry of errors: code → what a person reads, exit status, HTTP status. One class carries them all.
 * Every message says what, where, and what to do. docs/errors.md lists the same codes (tested both ways).
 *
 * Exit status: 1 failed; 64 wrong usage; 78 invalid topology (sysexits.h names).
 */

interface Definition<D> {
  readonly exit: 1 | 64 | 78;
  readonly http: number;
  readonly message: (details: D) => string;
}

function define<D>(exit: 1 | 64 | 78, http: number, message: (details: D) => string): Definition<D> {
  return { exit, http, message };
}

const registry = {
  // --- general
  INTERNAL: define(
    1,
    500,
    (d: { what: string }) =>
      `Unexpected fault: ${d.what}. Run again with --log-level debug and report what it prints.`,
  ),
  USAGE: define(64, 400, (d: { what: string }) => d.what),
  FILE_UNREADABLE: define(
    1,
    400,
    (d: { path: string; why: string }) =>
      `Cannot read "${d.path}": ${d.why}. Check the path and its permissions.`,
  ),
  FILE_UNWRITABLE: define(
    1,
    500,
    (d: { path: string; why: string }) =>
      `Cannot write "${d.path}": ${d.why}. Check the path, its permissions and free space.`,
  ),
  CANCELLED: define(1, 499, (d: { what: string }) => `Stopped before the end: ${d.what}.`),
  // --- process
  PROGRAM_MISSING: define(
    1,
    500,
    (d: { program: string; debianPackage: string | undefined }) =>
      `Program "${d.program}" is not installed, or not in PATH. ` +
      (d.debianPackage === undefined
        ? 'Install the package that has it.'
        : `On Debian and Ubuntu: apt-get install ${d.debianPackage}`),
  ),
  PROGRAM_NOT_STARTED: define(
    1,
    500,
    (d: { program: string; why: string }) =>
      `Program "${d.program}" could not be started: ${d.why}. Check its permissions, and the limits of this user.`,
  ),
  PROGRAM_TIMEOUT: define(
    1,
    504,
    (d: { program: string; timeoutMs: number }) =>
      `Program "${d.program}" took longer than ${String(d.timeoutMs)} ms and was ended. ` +
      'Check whether what it talks to answers, then try again.',
  ),
  PROGRAM_FAILED: define(
    1,
    500,
    (d: { program: string; status: number; said: string }) =>
      `Program "${d.program}" failed with exit status ${String(d.status)}: ` +
      `${d.said === '' ? 'it gave no reason' : d.said}. Mend what it names, then try again.`,
  ),
  PROGRAM_OUTPUT_TOO_LONG: define(
    1,
    500,
    (d: { program: string; maxBytes: number }) =>
      `Program "${d.program}" printed more than ${String(d.maxBytes)} bytes and was ended. ` +
      'Run it by hand to see what it prints.',
  ),
  PROCESS_STUCK: define(
    1,
    500,
    (d: { program: string; pid: number }) =>
      `Process ${String(d.pid)} ("${d.program}") does not end, not even by KILL: the kernel holds it. ` +
      'See what it waits for in /proc/PID/stack, and try again later.',
  ),
  NETNS_MISSING: define(
    1,
    404,
    (d: { netns: string }) =>
      `There is no network namespace "${d.netns}". Check --netns (VSB_NETNS) against "ip netns list".`,
  ),
  NOT_PERMITTED: define(
    1,
    403,
    (d: { what: string }) =>
      `Not permitted: ${d.what}. Run as root, or with the capabilities CAP_NET_ADMIN and CAP_SYS_ADMIN.`,
  ),
  // --- jsonrpc
  REMOTE_INVALID: define(
    64,
    400,
    (d: { remote: string; why: string }) =>
      `"${d.remote}" is no remote: ${d.why}. Write unix:PATH, tcp:HOST:PORT, tcp:[IPV6]:PORT or ssl:HOST:PORT, ` +
      'or to be called punix:PATH, ptcp:PORT:IP or pssl:PORT:IP.',
  ),
  REMOTE_UNSUPPORTED: define(
    64,
    400,
    (d: { remote: string; method: string }) =>
      `"${d.remote}": remotes of the kind "${d.method}:" are not for clients. ` +
      'Use unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT.',
  ),
  REMOTES_MIXED: define(
    64,
    400,
    (d: { remotes: readonly string[] }) =>
      `${d.remotes.length === 0 ? 'There is no remote' : `"${d.remotes.join('", "')}" cannot be used together`}. ` +
      'Give one or more remotes to connect to, or one to be called at.',
  ),
  LISTEN_FAILED: define(
    1,
    503,
    (d: { remote: string; why: string }) => `Cannot listen at "${d.remote}": ${d.why}.`,
  ),
  REMOTE_NOT_CALLED: define(
    1,
    504,
    (d: { remote: string; manager: string; limitMs: number }) =>
      `No switch that calls "${d.remote}" could be read within ${String(d.limitMs)} ms. ` +
      `Let it call: "ovs-vsctl set-manager ${d.manager}" on its host (in place of the managers that it has).`,
  ),
  TLS_FILES_MISSING: define(
    64,
    400,
    (d: { remote: string }) =>
      `"${d.remote}" needs TLS. Give --private-key, --certificate and --ca-cert, the files that ovs-vsctl takes too ` +
      '(in the library: tls).',
  ),
  TLS_FILES_INCOMPLETE: define(
    64,
    400,
    (d: { missing: readonly string[] }) =>
      `TLS needs three files: a private key, its certificate and the CA's certificate. Give ${d.missing.join(' and ')} too.`,
  ),
  TLS_FILE_INVALID: define(
    1,
    400,
    (d: { what: string; path: string; why: string }) =>
      `The ${d.what} "${d.path}" cannot be used: ${d.why}. Check the path, or make the file again (ovs-pki(8)).`,
  ),
  TLS_KEY_MISMATCH: define(
    1,
    400,
    (d: { privateKey: string; certificate: string }) =>
      `The private key "${d.privateKey}" does not belong to the certificate "${d.certificate}". Give the pair that was made together.`,
  ),
  JSONRPC_SYNTAX: define(
    1,
    502,
    (d: { why: string }) =>
      `What arrives is no JSON-RPC: ${d.why}. Check that the remote is an OVSDB server's socket.`,
  ),
  JSONRPC_TOO_LARGE: define(
    1,
    502,
    (d: { limitBytes: number }) =>
      `A message of more than ${String(d.limitBytes)} bytes arrives. Ask for fewer tables or columns, or check the remote.`,
  ),
  JSONRPC_TOO_DEEP: define(
    1,
    502,
    (d: { limit: number }) =>
      `A message nested more than ${String(d.limit)} levels deep arrives. Check that the remote is an OVSDB server's socket.`,
  ),
  JSONRPC_UNSENDABLE: define(
    1,
    400,
    (d: { method: string; why: string }) =>
      `"${d.method}" cannot be sent: ${d.why}. Take it out of the text; OVSDB cannot store it.`,
  ),
  // --- ovsdb
  OVSDB_UNREACHABLE: define(
    1,
    503,
    (d: { remote: string; why: string }) => `Cannot reach the OVSDB server at "${d.remote}": ${d.why}.`,
  ),
  OVSDB_LINK_LOST: define(
    1,
    503,
    (d: { remote: string; why: string }) =>
      `The link to the OVSDB server at "${d.remote}" is lost: ${d.why}. Check that ovsdb-server runs, and look into its log.`,
  ),
  OVSDB_TIMEOUT: define(
    1,
    504,
    (d: { what: string; limitMs: number }) =>
      `No end after ${String(d.limitMs)} ms: ${d.what}. Check that ovsdb-server and ovs-vswitchd run, or allow more time.`,
  ),
  OVSDB_PROTOCOL: define(
    1,
    502,
    (d: { where: string; why: string }) =>
      `The OVSDB server sent what RFC 7047 does not allow, in ${d.where}: ${d.why}. Check that the remote is an OVSDB server, and its version.`,
  ),
  OVSDB_NO_DATABASE: define(
    1,
    503,
    (d: { remote: string; database: string; present: string }) =>
      `The server at "${d.remote}" has no database "${d.database}" (it has: ${d.present}). Check the remote.`,
  ),
  OVSDB_SERVER_UNFIT: define(
    1,
    503,
    (d: { remote: string; database: string; why: string }) =>
      `The server at "${d.remote}" is of no use for "${d.database}": ${d.why}. Give the remotes of every server of the cluster.`,
  ),
  OVSDB_NOT_LIVE: define(
    1,
    503,
    (d: { database: string; at: string }) =>
      `The replica of "${d.database}" is not current: ${d.at}. Wait until its status says "live".`,
  ),
  OVSDB_LOCK_TWICE: define(
    1,
    409,
    (d: { lock: string }) =>
      `The lock "${d.lock}" is asked for already on this connection. Release it first, or use the one that there is.`,
  ),
  OVSDB_REQUEST_REFUSED: define(
    1,
    502,
    (d: { method: string; error: string }) =>
      `The OVSDB server refuses "${d.method}": ${d.error}. Check the server's version and its log.`,
  ),
  OVSDB_SCHEMA_INVALID: define(
    1,
    400,
    (d: { place: string; why: string }) =>
      `The schema is none that RFC 7047 (section 3.2) allows: ${d.place} ${d.why}. Check it with "ovsdb-tool create".`,
  ),
  OVSDB_VALUE: define(
    1,
    400,
    (d: { where: string; value: string; why: string }) =>
      `${d.where} cannot be ${d.value}: ${d.why}. Give a value that the schema allows (ovs-vswitchd.conf.db(5) has that of Open_vSwitch).`,
  ),
  OVSDB_OTHER_DATABASE: define(
    1,
    400,
    (d: { given: string; database: string }) =>
      `The transaction is for the database "${d.given}", and the client is that of "${d.database}". Give it to a client of its own database.`,
  ),
  OVSDB_UNKNOWN_COLUMN: define(
    1,
    400,
    (d: { table: string; column: string }) =>
      `There is no ${d.column === '*' ? `table "${d.table}"` : `column "${d.table}.${d.column}"`}. See the schema for those that exist (ovs-vswitchd.conf.db(5) has that of Open_vSwitch).`,
  ),
  OVSDB_COLUMN_NOT_HELD: define(
    1,
    500,
    (d: { table: string; column: string }) =>
      `The replica does not hold "${d.table}.${d.column}". Name it in the columns given to OvsdbClient.connect.`,
  ),
  OVSDB_TABLE_NOT_HELD: define(
    1,
    500,
    (d: { table: string }) =>
      `The replica does not hold the table "${d.table}". Name it, with the columns that you read, in the columns given to OvsdbClient.connect.`,
  ),
  OVSDB_NO_SNAPSHOT: define(
    1,
    500,
    (d: { what: string }) =>
      `There is no snapshot under this transaction, which ${d.what} needs. Make it with "new Transaction(schema, { over: snapshot })".`,
  ),
  OVSDB_NOT_EXPECTABLE: define(
    1,
    500,
    (d: { where: string; why: string }) =>
      `${d.where} cannot be expected to be as it was: ${d.why}. Expect other columns, or give a "wait" of your own.`,
  ),
  OVSDB_NO_INDEX: define(
    1,
    500,
    (d: { table: string; columns: string; why: string }) =>
      `There is no index of "${d.table}" by ${d.columns}: ${d.why}. Declare one with rowIndex and use Snapshot.find.`,
  ),
  OVSDB_UNKNOWN_REF: define(
    1,
    500,
    (d: { where: string; ref: string }) =>
      `${d.where} names the new row "${d.ref}", which this transaction does not insert. Insert it in the same transaction.`,
  ),
  // --- unixctl
  CONTROL_SOCKET_MISSING: define(
    1,
    503,
    (d: { daemon: string; rundir: string; why: string }) =>
      `Cannot find the control socket of ${d.daemon} in "${d.rundir}": ${d.why}. ` +
      'Check that it runs, and that --ovs-rundir is its run directory.',
  ),
  CONTROL_UNREACHABLE: define(
    1,
    503,
    (d: { path: string; why: string }) =>
      `Cannot reach the daemon at "${d.path}": ${d.why}. Check that it runs, and run as root or as its user.`,
  ),
  CONTROL_TIMEOUT: define(
    1,
    504,
    (d: { path: string; command: string; limitMs: number }) =>
      `The daemon at "${d.path}" did not answer within ${String(d.limitMs)} ms (${d.command}). ` +
      'It may be busy or stopped: see its log.',
  ),
  CONTROL_FAILED: define(
    1,
    502,
    (d: { path: string; command: string; why: string }) =>
      `What came from "${d.path}" is no answer to "${d.command}": ${d.why}. ` +
      'Check that it is the control socket of a daemon of Open vSwitch, and look into its log.',
  ),
  CONTROL_REFUSED: define(
    1,
    502,
    (d: { command: string; said: string }) =>
      `The daemon refuses "${d.command}": ${d.said}. Check its version; "ovs-appctl list-commands" says what it knows.`,
  ),
  // --- exporters of conversations
  EXPORTER_TAKEN: define(
    1,
    409,
    (d: { bridge: string; kinds: readonly string[]; by: string | undefined }) =>
      `Bridge "${d.bridge}" already has ${d.kinds.length === 1 ? 'an exporter' : 'exporters'} for ${d.kinds.join(', ')}, ` +
      (d.by === undefined
        ? d.kinds.length === 1
          ? 'which is not ours and is left as it is. Choose another --source, or have its owner remove it.'
          : 'which are not ours and are left as they are. Have the owner of one remove it.'
        : `made by another vsb (${d.by}). Wait until that ends.`),
  ),
  EXPORTER_GONE: define(
    1,
    409,
    (d: { bridge: string; kind: string }) =>
      `The ${d.kind} exporter on bridge "${d.bridge}" was removed while it was in use, or its bridge was. ` +
      'What was counted up to then is right. Run it again to go on.',
  ),
  EXPORTER_LEFT: define(
    1,
    503,
    (d: { remote: string; why: string }) =>
      `The exporters of this look could not be removed from the switch at "${d.remote}": ${d.why} ` +
      'The next "vsb apply", "vsb destroy" or "vsb watch conversations" there removes them.',
  ),
  COLLECTOR_UNAVAILABLE: define(
    1,
    500,
    (d: { address: string; netns: string | undefined; why: string }) =>
      `Cannot open a UDP socket on ${d.address}` +
      `${d.netns === undefined ? '' : ` in the network namespace "${d.netns}"`}: ${d.why}. ` +
      `Check that its loopback device is up (ip ${d.netns === undefined ? '' : `-n ${d.netns} `}link set lo up).`,
  ),
  // --- openflow
  OPENFLOW_UNREACHABLE: define(
    1,
    503,
    (d: { path: string; why: string }) =>
      `Cannot reach the bridge at "${d.path}": ${d.why}. ` +
      'Check that ovs-vswitchd runs, that the bridge exists, and that --ovs-rundir is its run directory.',
  ),
  OPENFLOW_FORBIDDEN: define(
    1,
    403,
    (d: { path: string }) =>
      `Not allowed to open "${d.path}". Run as root, or as a user who may write to that socket.`,
  ),
  OPENFLOW_VERSION: define(
    1,
    502,
    (d: { path: string; why: string }) =>
      `The bridge at "${d.path}" does not speak OpenFlow 1.3, 1.4 or 1.5: ${d.why}. ` +
      'Add OpenFlow13 to the "protocols" column of its Bridge row, or leave that column empty.',
  ),
  OPENFLOW_PROTOCOL: define(
    1,
    502,
    (d: { what: string; where: string | undefined }) =>
      `What came from ${d.where === undefined ? 'the switch' : `"${d.where}"`} is not OpenFlow: ${d.what}. ` +
      "Check that this is a bridge's management socket; if it is, report this with the version of Open vSwitch.",
  ),
  OPENFLOW_REFUSED: define(
    1,
    502,
    (d: { path: string; what: string; why: string }) =>
      `The bridge at "${d.path}" refused to give its ${d.what}: ${d.why}. See the log of ovs-vswitchd.`,
  ),
  OPENFLOW_TIMEOUT: define(
    1,
    504,
    (d: { path: string; what: string; limitMs: number }) =>
      `The bridge at "${d.path}" did not answer within ${String(d.limitMs)} ms (${d.what}). ` +
      'ovs-vswitchd may be busy, stopped, or without its database: see its log.',
  ),
  OPENFLOW_CLOSED: define(
    1,
    503,
    (d: { path: string; what: string }) =>
      `The connection to the bridge at "${d.path}" ended (${d.what}). ` +
      'ovs-vswitchd was stopped or restarted, or the bridge was removed; try again once it is there.',
  ),
  // --- filter
  FILTER_INVALID: define(
    64,
    400,
    (d: { column: number; why: string; excerpt: string; caret: string }) =>
      `Filter, column ${String(d.column)}: ${d.why}.\n    ${d.excerpt}\n    ${d.caret}`,
  ),
  // --- traffic
  WATCH_BRIDGE_MISSING: define(
    1,
    404,
    (d: { bridge: string; known: readonly string[] }) =>
      `There is no bridge "${d.bridge}" in this Open vSwitch. ` +
      (d.known.length === 0
        ? 'It has no bridges at all: apply a topology first, or check --remote.'
        : `Its bridges: ${d.known.join(', ')}.`),
  ),
  NIC_UNKNOWN: define(
    64,
    404,
    (d: { name: string; known: readonly string[] }) =>
      `This switch has no VM, NIC or port "${d.name}". ` +
      (d.known.length === 0
        ? 'It has no VMs at all: apply a topology first, or check --remote.'
        : `Name a VM, a NIC of one (VM:NIC) or a device. NICs: ${d.known.join(', ')}.`),
  ),
  NIC_NOT_ATTACHED: define(
    1,
    409,
    (d: { device: string; bridge: string }) =>
      `Device "${d.device}" is not attached to "${d.bridge}": the switch could not open it. See "vsb show" for why.`,
  ),
  TRACE_MAC_UNKNOWN: define(
    64,
    400,
    (d: { end: string; flag: string }) =>
      `The database does not say the MAC address of ${d.end} (external_ids:attached-mac). Give it with ${d.flag}.`,
  ),
  TRACE_MATCH_INVALID: define(
    64,
    400,
    (d: { match: string; why: string }) =>
      `"${d.match}" is no packet to trace: ${d.why}. ` +
      'Write arp, icmp, ip, tcp/PORT, udp/PORT or sctp/PORT, or fields of ovs-fields(7) such as tcp,tcp_dst=80.',
  ),
  CAPTURE_FILTER_INVALID: define(
    64,
    400,
    (d: { filter: string; why: string }) =>
      `"${d.filter}" is no filter for a capture: ${d.why}. Write it as for tcpdump (pcap-filter(7)), such as "tcp port 80".`,
  ),
  CAPTURE_FAILED: define(
    1,
    503,
    (d: { nic: string; device: string; why: string }) =>
      `Nothing can be captured at ${d.nic} (device "${d.device}"): ${d.why}. ` +
      'Check that the device is there (ip link), that --netns is its network namespace, and run as root.',
  ),
  CAPTURE_GARBLED: define(
    1,
    500,
    (d: { why: string }) =>
      `What tcpdump writes is no capture: ${d.why}. Run "tcpdump --version", and report it with that.`,
  ),
  DATAPATH_TOO_MANY_FLOWS: define(
    1,
    503,
    (d: { flows: number; maxFlows: number }) =>
      `Who talks to whom is not looked up: the datapath has ${String(d.flows)} flows, and to list more than ` +
      `${String(d.maxFlows)} would hold up ovs-vswitchd too long. Let vsb manage the bridge (visibility: pairs) to have it counted.`,
  ),
  // --- topology
  TOPOLOGY_INVALID: define(
    78,
    422,
    // `report` is all issues as lines, then their count; `issues` the same as data.
    (d: { path: string; report: string; issues: readonly unknown[] }) => d.report,
  ),
  YAML_SYNTAX: define(
    78,
    422,
    (d: { why: string }) =>
      `This is not YAML: ${d.why}. Check indentation, quotes and brackets here and just above.`,
  ),
  KEY_DUPLICATE: define(
    78,
    422,
    (d: { key: string; line: number }) =>
      `"${d.key}" is here twice, first in line ${String(d.line)}. Merge the two or rename one.`,
  ),
  KEY_UNKNOWN: define(78, 422, (d: { key: string; nearest: string | undefined; known: readonly string[] }) =>
    d.nearest === undefined
      ? `Unknown key "${d.key}". Remove it; known here: ${d.known.join(', ')}.`
      : `Unknown key "${d.key}". Did you mean "${d.nearest}"?`,
  ),
  KEY_MISSING: define(
    78,
    422,
    (d: { key: string; expected: string }) => `"${d.key}" is missing. Add it: ${d.expected}.`,
  ),
  NOT_SUPPORTED_YET: define(
    78,
    422,
    (d: { what: string }) => `${d.what} is not supported yet. Remove it, or wait for a later version.`,
  ),
  VALUE_TYPE: define(
    78,
    422,
    (d: { key: string; expected: string; got: string }) =>
      `"${d.key}" is ${d.got}. Write ${d.expected} instead.`,
  ),
  VALUE_UNKNOWN: define(
    78,
    422,
    (d: { key: string; value: string; nearest: string | undefined; allowed: readonly string[] }) =>
      `"${d.key}" cannot be ${d.value}. ` +
      (d.nearest === undefined ? '' : `Did you mean ${d.nearest}? `) +
      `Write one of: ${d.allowed.join(', ')}.`,
  ),
  VALUE_RANGE: define(
    78,
    422,
    (d: { key: string; value: string; expected: string }) =>
      `"${d.key}" cannot be ${d.value}. Write ${d.expected}.`,
  ),
  NAME_INVALID: define(
    78,
    422,
    (d: { kind: string; name: string; rule: string }) =>
      `"${d.name}" cannot be the name of a ${d.kind}. Use ${d.rule}.`,
  ),
  NAME_UNKNOWN: define(
    78,
    422,
    (d: { kind: string; name: string; nearest: string | undefined }) =>
      `There is no ${d.kind} "${d.name}" in this file. ` +
      (d.nearest === undefined
        ? `Add it under "${d.kind}s:", or name another one.`
        : `Did you mean "${d.nearest}"?`),
  ),
  VLAN_INVALID: define(
    78,
    422,
    (d: { value: string }) =>
      `${d.value} is no VLAN id. Write a whole number from 0 (untagged) to 4094; in a trunk also a range such as 100-110.`,
  ),
  VLAN_TWICE: define(
    78,
    422,
    (d: { device: string }) =>
      `Uplink "${d.device}" has both "vlan" and "trunk". Keep one: "trunk: [10]" is short for "vlan: { trunk: [10] }".`,
  ),
  TRUNK_EMPTY: define(
    78,
    422,
    () => 'This trunk names no VLAN, which Open vSwitch reads as all of them. Name those that may pass.',
  ),
  NATIVE_MISSING: define(
    78,
    422,
    (d: { key: string }) =>
      `"${d.key}" says how the native VLAN leaves, but there is no "native". Add it, or remove "${d.key}".`,
  ),
  NATIVE_NOT_IN_TRUNK: define(
    78,
    422,
    (d: { native: number; trunk: string }) =>
      `The native VLAN ${String(d.native)} is not in the trunk (${d.trunk}), and would pass nevertheless. Add it to "trunk".`,
  ),
  TRUNK_WITHOUT_NETWORK: define(
    78,
    422,
    (d: { network: string; vlan: number; trunk: string }) =>
      `This trunk (${d.trunk}) does not carry VLAN ${String(d.vlan)} of network "${d.network}". Add it to "trunk", or plug the NIC into another network.`,
  ),
  BACKEND_INVALID: define(
    78,
    422,
    () =>
      'This is no backend. Write one of: tap, vhost-net, vhost-user, { macvtap: DEVICE, mode: bridge }, ' +
      '{ passthrough: "0000:03:00.1" }.',
  ),
  PCI_ADDRESS_INVALID: define(
    78,
    422,
    (d: { value: string }) =>
      `${d.value} is no address of a PCI function. Write it in quotes as "lspci -D" does: "0000:03:00.1".`,
  ),
  PCI_DUPLICATE: define(
    78,
    422,
    (d: { address: string; nic: string; other: string; line: number }) =>
      `NIC ${d.nic} asks for the PCI function ${d.address} that NIC ${d.other} has (line ${String(d.line)}). A function is for one VM: give it another.`,
  ),
  MACVTAP_EXCLUSIVE: define(
    78,
    422,
    (d: { device: string; nic: string; other: string; line: number }) =>
      `NIC ${d.nic} and NIC ${d.other} (line ${String(d.line)}) are both on "${d.device}", and "mode: passthru" is for one alone. Use "mode: bridge" for both, or another device.`,
  ),
  NEEDS_VIRTIO: define(
    78,
    422,
    (d: { what: string; nic: string; model: string }) =>
      `NIC ${d.nic} cannot have ${d.what} with model ${d.model}: only virtio has it. Remove it, or write "model: virtio".`,
  ),
  NEEDS_OPEN_VSWITCH: define(
    78,
    422,
    (d: { key: string; of: string; why: string }) =>
      `"${d.key}" of ${d.of} cannot be kept: ${d.why}. Remove it, or plug into a bridge of Open vSwitch.`,
  ),
  NOT_WITH_PASSTHROUGH: define(
    78,
    422,
    (d: { key: string; nic: string }) =>
      `"${d.key}" of NIC ${d.nic} has no effect: with passthrough the guest drives the device itself. Remove it.`,
  ),
  VHOST_USER_NEEDS_DPDK: define(
    78,
    422,
    (d: { nic: string; why: string }) =>
      `NIC ${d.nic} cannot have backend vhost-user: ${d.why}. Plug it into a bridge of Open vSwitch with "datapath: netdev".`,
  ),
  RING_TX_NEEDS_VHOST_USER: define(
    78,
    422,
    (d: { nic: string; tx: number }) =>
      `NIC ${d.nic} cannot send from a ring of ${String(d.tx)}: QEMU has more than 256 for vhost-user only. Remove "tx", or use vhost-user.`,
  ),
  NETWORK_ON_TWO_BRIDGES: define(
    78,
    422,
    (d: { network: string }) => `Network "${d.network}" has both "bridge" and "linuxBridge". Keep one.`,
  ),
  NETWORK_WITHOUT_BRIDGE: define(
    78,
    422,
    (d: { network: string; nic: string | undefined }) =>
      `Network "${d.network}" is on no bridge` +
      (d.nic === undefined ? '. ' : `, and NIC ${d.nic} plugs into one. `) +
      'Add "bridge: NAME" (Open vSwitch) or "linuxBridge: NAME"; without either, its NICs are macvtap or passthrough.',
  ),
  DISK_DUPLICATE: define(
    78,
    422,
    (d: { image: string; vm: string; other: string; line: number }) =>
      `VM "${d.vm}" and VM "${d.other}" (line ${String(d.line)}) would both write to "${d.image}". Give each an image of its own; "base" lets them share what they begin with.`,
  ),
  DISK_IDE_READ_ONLY: define(
    78,
    422,
    (d: { vm: string }) =>
      `A disk of VM "${d.vm}" is read-only on the IDE bus, which has no such disks. Write "bus: virtio", or leave out "readOnly".`,
  ),
  DISK_BASE_WRITTEN: define(
    78,
    422,
    (d: { base: string; vm: string; line: number }) =>
      `"${d.base}" is the base of another image, and VM "${d.vm}" writes to it (line ${String(d.line)}), which spoils that other. Give the VM an image of its own, on the same base.`,
  ),
  MAC_INVALID: define(
    78,
    422,
    (d: { value: string }) => `${d.value} is no MAC address. Write six hex pairs, such as 52:54:00:10:00:01.`,
  ),
  MAC_UNUSABLE: define(
    78,
    422,
    (d: { mac: string }) =>
      `${d.mac} cannot be the address of a NIC: it is all zeros, or a group address (odd first byte). Use one such as 52:54:00:10:00:01.`,
  ),
  MAC_DUPLICATE: define(
    78,
    422,
    (d: { mac: string; nic: string; other: string; line: number }) =>
      `NIC ${d.nic} has the MAC ${d.mac} of NIC ${d.other} (line ${String(d.line)}). Change one, or remove it to have one derived.`,
  ),
  CIDR_INVALID: define(
    78,
    422,
    (d: { value: string }) =>
      `${d.value} is no network. Write address and prefix length, such as 10.1.0.0/24 or fd00:1::/64.`,
  ),
  CIDR_EXHAUSTED: define(
    78,
    422,
    (d: { network: string; cidr: string; hosts: string; nics: number }) =>
      `Network "${d.network}" (${d.cidr}) has ${d.hosts} host addresses for ${String(d.nics)} NICs; this is the first without one. Use a shorter prefix.`,
  ),
  IP_INVALID: define(
    78,
    422,
    (d: { value: string }) =>
      `${d.value} is no IP address. Write one without prefix length, such as 10.1.0.11; the network's "cidr" has the prefix.`,
  ),
  IP_WITHOUT_CIDR: define(
    78,
    422,
    (d: { ip: string; network: string }) =>
      `${d.ip} has no prefix length, because network "${d.network}" has no "cidr". Add it to the network, or remove "ip".`,
  ),
  IP_OUTSIDE_NETWORK: define(
    78,
    422,
    (d: { ip: string; network: string; cidr: string; first: string; last: string }) =>
      `${d.ip} is not in network "${d.network}" (${d.cidr}). Use one from ${d.first} to ${d.last}.`,
  ),
  IP_RESERVED: define(
    78,
    422,
    (d: { ip: string; network: string; cidr: string; first: string; last: string }) =>
      `${d.ip} is the network's own or its broadcast address in "${d.network}" (${d.cidr}). Use one from ${d.first} to ${d.last}.`,
  ),
  IP_DUPLICATE: define(
    78,
    422,
    (d: { ip: string; nic: string; other: string; line: number }) =>
      `NIC ${d.nic} has the address ${d.ip} of NIC ${d.other} in the same network (line ${String(d.line)}). Change one, or remove it to have one given.`,
  ),
  RATE_INVALID: define(
    78,
    422,
    (d: { value: string }) =>
      `${d.value} is no bit rate above 0. Write one such as 500M or 1.5G (decimal, bit/s).`,
  ),
  SIZE_INVALID: define(
    78,
    422,
    (d: { value: string }) =>
      `${d.value} is no size of at least 1M. Write one such as 256M or 2G (binary, bytes).`,
  ),
  DEVICE_DUPLICATE: define(
    78,
    422,
    (d: { device: string; line: number }) =>
      `Device "${d.device}" is in use already in line ${String(d.line)}. A device is one bridge, or an uplink of one bridge, once; a macvtap needs one of its own.`,
  ),
  // --- switch
  SWITCH_NOT_INITIALISED: define<Record<string, never>>(
    1,
    503,
    () =>
      'The database has no row in Open_vSwitch: Open vSwitch was never started on it. Start Open vSwitch, or run `ovs-vsctl --no-wait init`.',
  ),
  BRIDGE_NAME_TAKEN: define(
    1,
    409,
    (d: { name: string; bridge: string }) =>
      `Bridge "${d.name}" cannot be made: a port of "${d.bridge}", or a member of one, has that name. Rename the bridge in the topology, or remove the port.`,
  ),
  BRIDGE_NOT_OURS: define(
    1,
    409,
    (d: { bridge: string; setting: string; is: string; wanted: string }) =>
      `Bridge "${d.bridge}" was made by something else and its ${d.setting} is "${d.is}", not "${d.wanted}". Write \`${d.setting}: ${d.is}\` (or leave it out), or add \`adopt: true\` to take the bridge over.`,
  ),
  PORT_NOT_OURS: define(
    1,
    409,
    (d: { port: string; bridge: string; maker: string }) =>
      `Port "${d.port}" on "${d.bridge}" was made by ${d.maker}. Rename it in the topology, or add \`adopt: true\` to take it over.`,
  ),
  PORT_IS_BRIDGE: define(
    1,
    409,
    (d: { port: string }) =>
      `Port "${d.port}" is a bridge's own port, which bears the bridge's name. Rename it in the topology.`,
  ),
  PORT_IS_BOND: define(
    1,
    409,
    (d: { port: string; bridge: string }) =>
      `Port "${d.port}" on "${d.bridge}" is a bond of several interfaces, and bonds are not supported yet. Rename it in the topology, or remove the bond.`,
  ),
  INTERFACE_IN_USE: define(
    1,
    409,
    (d: { name: string; port: string; bridge: string }) =>
      `Device "${d.name}" is part of port "${d.port}" on "${d.bridge}" already. Rename it in the topology, or take it out of that port.`,
  ),
  SWITCH_CHANGED: define(
    1,
    409,
    (d: { what: string }) =>
      `Nothing was written: what was planned for is no longer so, or the link was down (${d.what}). Run it again.`,
  ),
  SWITCH_REJECTED: define(
    1,
    422,
    (d: { what: string }) =>
      `ovsdb-server rejected the transaction: ${d.what}. Nothing was changed. Run \`vsb plan\` to see what is there now.`,
  ),
  SWITCH_OUTCOME_UNKNOWN: define(
    1,
    502,
    (d: { remote: string; why: string }) =>
      `ovsdb-server at ${d.remote} did not say what became of the transaction, which was made wholly or not at all. ${d.why} Run \`vsb plan\` to see which, then \`vsb apply\` again.`,
  ),
  SWITCH_NOT_CURRENT: define(
    1,
    504,
    (d: { waited: string }) =>
      `The database has the change, but ovs-vswitchd has not taken it up within ${d.waited}. Is it running? See \`ovs-appctl version\` and its log. (\`--database-only\` does not wait for it.)`,
  ),
  BRIDGE_NOT_UP: define(
    1,
    503,
    (d: { bridge: string; datapath: string }) =>
      `Bridge "${d.bridge}" has no datapath: Open vSwitch could not open the type "${d.datapath}". Load the kernel module (modprobe openvswitch), or write \`datapath: netdev\`.`,
  ),
  BRIDGE_PORT_FAILED: define(
    1,
    503,
    (d: { bridge: string; why: string }) =>
      `Bridge "${d.bridge}" has no port of its own: ${d.why}. Rename the bridge in the topology, or remove the device that has its name.`,
  ),
  PORT_NOT_ATTACHED: define(
    1,
    503,
    (d: { port: string; bridge: string; why: string }) =>
      `Port "${d.port}" on "${d.bridge}" is not attached: ${d.why}. Make the device, or correct its name; Open vSwitch attaches it by itself when it appears.`,
  ),
  LIMIT_NOT_IN_EFFECT: define(
    1,
    503,
    (d: { port: string; direction: string; why: string }) =>
      `The limit on what "${d.port}" has ${d.direction} is not in effect: ${d.why}. Take the limit out of the topology, or run a kernel that has it.`,
  ),
  PIPELINE_UNREADABLE: define(
    1,
    503,
    (d: { bridge: string; why: string }) =>
      `The rules that count pairs on "${d.bridge}" could not be looked at: ${d.why} (Or write \`visibility: ports\`.)`,
  ),
  PIPELINE_BLOCKED: define(
    1,
    409,
    (d: { bridge: string; why: string }) =>
      `Pairs are not counted on "${d.bridge}": ${d.why}. Take that away, or write \`visibility: ports\`.`,
  ),
  PIPELINE_INCOMPLETE: define(
    1,
    503,
    (d: { bridge: string; missing: number; all: number }) =>
      `Pairs are not wholly counted on "${d.bridge}": ${String(d.missing)} of ${String(d.all)} rules are missing. Something else may have removed them; run \`vsb apply\` again.`,
  ),
  // --- host
  DEVICE_NOT_OURS: define(
    1,
    409,
    (d: { device: string; wanted: string; owner: string | undefined }) =>
      `Device "${d.device}", wanted as ${d.wanted}, ` +
      `${d.owner === undefined ? 'was made by something else' : `belongs to topology "${d.owner}"`}. ` +
      'Remove it, or rename the VM in the topology, or add "adopt: true" to the NIC to take it over as it is.',
  ),
  DEVICE_OF_OTHER_KIND: define(
    1,
    409,
    (d: { device: string; wanted: string; kind: string }) =>
      `Device "${d.device}", wanted as ${d.wanted}, is there and is something else: a "${d.kind}". ` +
      'Rename that device, or the VM or bridge in the topology.',
  ),
  DEVICE_MISSING: define(
    1,
    404,
    (d: { device: string; wanted: string }) =>
      `Device "${d.device}", ${d.wanted}, is not there. Something has removed it: find out what, then apply again.`,
  ),
  DEVICE_DOWN: define(
    1,
    409,
    (d: { device: string; wanted: string }) =>
      `Device "${d.device}", ${d.wanted}, is down. Something has lowered it: find out what, then apply again.`,
  ),
  DEVICE_DIFFERS: define(
    1,
    409,
    (d: { device: string; wanted: string; how: string }) =>
      `Device "${d.device}", ${d.wanted}, is not as it should be: ${d.how}. Something has changed it: find out what, then apply again.`,
  ),
  LINUX_BRIDGE_DOWN: define(
    1,
    409,
    (d: { bridge: string }) =>
      `The Linux bridge "${d.bridge}" was made by something else and is down, so it would carry nothing. Raise it: ip link set ${d.bridge} up`,
  ),
  MACVTAP_DEVICE_MISSING: define(
    1,
    404,
    (d: { device: string; nic: string; present: readonly string[] }) =>
      `There is no device "${d.device}" for the macvtap of ${d.nic}; there are: ${d.present.slice(0, 20).join(', ')}. Name one of them.`,
  ),
  MACVTAP_DEVICE_UNFIT: define(
    1,
    409,
    (d: { device: string; nic: string; kind: string }) =>
      `Device "${d.device}" cannot have the macvtap of ${d.nic}, as it is ${d.kind}. Name an Ethernet device.`,
  ),
  MACVTAP_DEVICE_IN_BRIDGE: define(
    1,
    409,
    (d: { device: string; nic: string; master: string }) =>
      `Device "${d.device}" is a port of "${d.master}", so it cannot have the macvtap of ${d.nic}. ` +
      `Take it out ("ip link set ${d.device} nomaster"), or plug the NIC into that bridge.`,
  ),
  MACVTAP_DEVICE_DOWN: define(
    1,
    409,
    (d: { device: string; nic: string }) =>
      `Device "${d.device}" is down, so the macvtap of ${d.nic} would carry nothing. Raise it: ip link set ${d.device} up`,
  ),
  MACVTAP_DEVICE_BUSY: define(
    1,
    409,
    (d: { device: string; nic: string; other: string; mode: string }) =>
      `The macvtap of ${d.nic} cannot be on "${d.device}": "${d.other}" is there with mode ${d.mode}, and "passthru" is for one alone. ` +
      'Use another mode for both, or another device.',
  ),
  VHOST_USER_UNAVAILABLE: define(
    1,
    409,
    (d: { nic: string; why: string }) =>
      `NIC ${d.nic} cannot have backend vhost-user here: ${d.why}. Or write "backend: tap", which every switch has.`,
  ),
  NOT_WITH_VHOST_USER: define(
    78,
    422,
    (d: { key: string; nic: string }) =>
      `"${d.key}" of NIC ${d.nic} cannot be kept with vhost-user: vsb limits devices of the kernel only. Remove it, or write "backend: tap".`,
  ),
  VHOST_NET_UNAVAILABLE: define(
    1,
    409,
    (d: { nic: string; why: string }) =>
      `NIC ${d.nic} cannot have backend vhost-net here: ${d.why}. Or write "backend: tap", which every host has.`,
  ),
  PCI_MISSING: define(
    1,
    404,
    (d: {
      address: string;
      present: readonly string[];
      vf: { address: string; made: number; most: number } | undefined;
    }) =>
      `There is no PCI function ${d.address}; network functions here: ${d.present.join(', ') || 'none'}. Name one of them` +
      (d.vf === undefined
        ? '.'
        : `, or make virtual functions: ${d.vf.address} has ${String(d.vf.made)} of ${String(d.vf.most)}; ` +
          `"echo N > /sys/bus/pci/devices/${d.vf.address}/sriov_numvfs" (write 0 before another number).`),
  ),
  PCI_NOT_NETWORK: define(
    1,
    409,
    (d: { address: string; classCode: string }) =>
      `PCI function ${d.address} is no network device (class ${d.classCode}). Name one that is; "lspci -D" lists them.`,
  ),
  PCI_DEFAULT_ROUTE: define(
    1,
    409,
    (d: { address: string; device: string }) =>
      `PCI function ${d.address} carries "${d.device}", by which the host's default route leaves: the host would lose its network. ` +
      'Use another function, or a virtual one of it.',
  ),
  PCI_NO_IOMMU: define(
    1,
    409,
    (d: { address: string }) =>
      `PCI function ${d.address} has no IOMMU group, so a guest could reach all of the host's memory through it. ` +
      'Switch VT-d or AMD-Vi on in the firmware, boot with "intel_iommu=on" (AMD: on by itself), and see "vsb doctor".',
  ),
  PCI_DRIVER: define(
    1,
    409,
    (d: { address: string; driver: string | undefined }) =>
      `PCI function ${d.address} is ${d.driver === undefined ? 'without a driver' : `held by driver "${d.driver}"`}, not by vfio-pci. ` +
      `Run: modprobe vfio-pci; echo vfio-pci > /sys/bus/pci/devices/${d.address}/driver_override; ` +
      (d.driver === undefined ? '' : `echo ${d.address} > /sys/bus/pci/drivers/${d.driver}/unbind; `) +
      `echo ${d.address} > /sys/bus/pci/drivers_probe`,
  ),
  PCI_GROUP_IN_USE: define(
    1,
    409,
    (d: { address: string; group: string; other: string; driver: string }) =>
      `PCI function ${d.address} shares IOMMU group ${d.group} with ${d.other}, which the host uses (driver "${d.driver}"): ` +
      'a group goes to one guest as a whole. Bind that to vfio-pci too, or use a slot with a group of its own.',
  ),
  PCI_IN_USE: define(
    1,
    409,
    (d: { address: string; nic: string; taken: string; pid: number }) =>
      `NIC ${d.nic} cannot have PCI function ${d.address}: ${d.taken === d.address ? 'it' : `${d.taken}, of the same IOMMU group,`} belongs to a guest that runs (QEMU, pid ${String(d.pid)}). ` +
      'Stop that guest, or use another function.',
  ),
  PCI_GROUP_SPLIT: define(
    1,
    409,
    (d: { address: string; nic: string; other: string; otherNic: string }) =>
      `NIC ${d.nic} cannot have PCI function ${d.address}: it shares its IOMMU group with ${d.other} of NIC ${d.otherNic}, and ` +
      'a group goes to one VM as a whole. Give both to one VM, or use a function with a group of its own.',
  ),
  // --- disk
  DISK_MISSING: define(
    1,
    404,
    (d: { image: string; why: string }) =>
      `There is no image "${d.image}": ${d.why}. Check the path; "vsb disk create" makes one.`,
  ),
  DISK_EXISTS: define(
    1,
    409,
    (d: { image: string }) =>
      `"${d.image}" is there already, and is not overwritten. Name another file, or remove it first ("convert" has --force).`,
  ),
  DISK_SAME: define(
    64,
    400,
    (d: { image: string }) =>
      `"${d.image}" is the source or one of its bases, and cannot be the target too. Name another target.`,
  ),
  DISK_IN_USE: define(
    1,
    409,
    (d: { image: string; users: readonly string[] }) =>
      `"${d.image}" is in use by ${d.users.join(', ')}. Stop it first: what is changed under a running VM is destroyed.`,
  ),
  DISK_NO_SPACE: define(
    1,
    507,
    (d: { image: string; needed: number | undefined; free: number | undefined }) =>
      `There is no room for "${d.image}"` +
      (d.needed === undefined
        ? '. '
        : `: it needs ${String(d.needed)} bytes, and ${String(d.free)} are free. `) +
      'Free some, or write to another file system.',
  ),
  DISK_FORMAT_UNSURE: define(
    1,
    422,
    (d: { image: string }) =>
      `"${d.image}" has the header of no image, so it is raw, damaged, or no image at all. If it is raw, say so (--format raw), or call it .img.`,
  ),
  DISK_FORMAT_DIFFERS: define(
    1,
    409,
    (d: { image: string; is: string; wanted: string }) =>
      `"${d.image}" is ${d.is}, and the topology says ${d.wanted}. Correct "format", or convert it: vsb disk convert.`,
  ),
  DISK_BASE_MISSING: define(
    1,
    404,
    (d: { image: string; base: string }) =>
      `"${d.image}" is on "${d.base}", which is not there or cannot be read. Put that back; the image is worth nothing without it.`,
  ),
  DISK_BASE_DIFFERS: define(
    1,
    409,
    (d: { image: string; is: string | undefined; wanted: string }) =>
      `"${d.image}" is on ${d.is === undefined ? 'no base' : `"${d.is}"`}, and the topology says "${d.wanted}". Correct "base", or give the VM another image.`,
  ),
  DISK_WOULD_SHRINK: define(
    1,
    409,
    (d: { image: string; is: number; wanted: number }) =>
      `"${d.image}" has ${String(d.is)} bytes, more than the ${String(d.wanted)} of the topology; no plan shrinks an image. ` +
      'Correct "size", or shrink file system and partition first, and then: vsb disk resize --shrink.',
  ),
  DISK_SHRINKS: define(
    1,
    409,
    (d: { image: string; from: number; to: number; name: string }) =>
      `This cuts ${String(d.from - d.to)} bytes off the end of "${d.image}", with all that is there. ` +
      `Shrink file system and partition first; then give --shrink --confirm ${d.name}.`,
  ),
  DISK_SIZE_MISSING: define(
    1,
    400,
    (d: { image: string }) => `How large is "${d.image}" to be? Give a size, or a base that it begins as.`,
  ),
  DISK_NEEDS_QCOW2: define(
    1,
    400,
    (d: { image: string; what: string; format: string }) =>
      `"${d.image}" cannot have ${d.what}: ${d.format} knows no such thing. Use qcow2; "vsb disk convert" makes one of it.`,
  ),
  DISK_CORRUPT: define(
    1,
    422,
    (d: { image: string }) =>
      `"${d.image}" is damaged: parts of it are missing or point nowhere. See "qemu-img check", and take it from its backup; "qemu-img check -r all" on a copy may save some.`,
  ),
  DISK_ENCRYPTED: define(
    1,
    400,
    (d: { image: string }) =>
      `"${d.image}" is encrypted, which vsb only creates. Use qemu-img with --image-opts and a secret for this.`,
  ),
  DISK_SNAPSHOT_UNKNOWN: define(
    1,
    404,
    (d: { image: string; snapshot: string; known: readonly string[] }) =>
      `"${d.image}" has no snapshot "${d.snapshot}". ` +
      (d.known.length === 0 ? 'It has none.' : `It has: ${d.known.join(', ')}.`),
  ),
  DISK_SNAPSHOT_EXISTS: define(
    1,
    409,
    (d: { image: string; snapshot: string }) =>
      `"${d.image}" has a snapshot "${d.snapshot}" already. Choose another name, or delete that one first.`,
  ),
  DISK_SNAPSHOT_AMBIGUOUS: define(
    1,
    409,
    (d: { image: string; snapshot: string }) =>
      `"${d.image}" has several snapshots "${d.snapshot}". Delete by id with qemu-img: "vsb disk info" shows ids.`,
  ),
  DISK_SNAPSHOT_NAME: define(
    64,
    400,
    (d: { name: string }) =>
      `"${d.name}" cannot be the name of a snapshot. Use at most 128 characters in one line, no number alone, no dash or space first.`,
  ),
  DISK_DIFFERS: define(
    1,
    409,
    (d: { image: string; how: string }) => `"${d.image}" is not as the topology says: ${d.how}. Apply again.`,
  ),
  DISK_FAILED: define(
    1,
    500,
    (d: { image: string; said: string }) =>
      `qemu-img did not do it ("${d.image}"): ${d.said}. Mend what it names.`,
  ),
  // --- guest
  GUEST_UNKNOWN: define(
    64,
    404,
    (d: { vm: string; topology: string; known: readonly string[] }) =>
      `Topology "${d.topology}" has no VM "${d.vm}". ` +
      (d.known.length === 0 ? 'It has none at all.' : `Choose from: ${d.known.join(', ')}.`),
  ),
  GUEST_NOT_FOUND: define(
    1,
    404,
    (d: { vm: string; running: readonly string[] }) =>
      `No QEMU of this host runs a VM "${d.vm}". ` +
      (d.running.length === 0
        ? 'None runs at all: start it with "vsb vm start".'
        : `Running: ${d.running.join(', ')}.`),
  ),
  GUEST_NIC_UNKNOWN: define(
    64,
    404,
    (d: { vm: string; nic: string; count: number }) =>
      `VM "${d.vm}" was not started with a NIC ${d.nic}. ` +
      (d.count === 0 ? 'It has none.' : `Its NICs are 0 to ${String(d.count - 1)}.`),
  ),
  GUEST_NOT_BOOTABLE: define(
    1,
    409,
    (d: { vm: string }) =>
      `VM "${d.vm}" has nothing to boot from. Add "disks:" to it, or "boot:" with a kernel and an initrd; ` +
      '"scripts/guest-image" builds a small pair.',
  ),
  GUEST_BOOT_FILE_MISSING: define(
    1,
    409,
    (d: { vm: string; path: string; why: string }) =>
      `VM "${d.vm}" boots "${d.path}", which cannot be read: ${d.why}. ` +
      'Correct "boot:" in the topology, or build the small guest with "scripts/guest-image".',
  ),
  GUEST_DISK_MISSING: define(
    1,
    409,
    (d: { vm: string; image: string; why: string; path: string }) =>
      `The disk "${d.image}" of VM "${d.vm}" cannot be read: ${d.why}. Run first: vsb apply ${d.path}`,
  ),
  GUEST_TAP_MISSING: define(
    1,
    409,
    (d: { vm: string; devices: readonly string[]; path: string }) =>
      `The tap of VM "${d.vm}" is not there: ${d.devices.join(', ')}. Run first: vsb apply ${d.path}`,
  ),
  GUEST_NOT_STARTED: define(
    1,
    500,
    (d: { vm: string; said: string }) =>
      `QEMU did not start VM "${d.vm}": ${d.said}. ` +
      'Mend what it names; "vsb vm qemu-args" prints the command to try by hand.',
  ),
  GUEST_RUNS_ON_QEMU: define(
    1,
    409,
    (d: { vm: string; path: string }) =>
      `VM "${d.vm}" runs already, with QEMU. Stop it first: vsb vm stop ${d.path} ${d.vm}`,
  ),
  COMPARE_IMAGE_MISSING: define(
    1,
    404,
    (d: { path: string }) =>
      `The guest that measures is not there: "${d.path}". Build it with "scripts/guest-image" (of the source), or name another with --kernel and --initrd.`,
  ),
  LIBVIRT_UNFIT: define(
    1,
    400,
    (d: { vm: string; text: string }) =>
      `VM "${d.vm}" cannot be written as XML, which has no control characters: ${JSON.stringify(d.text)}. ` +
      'Rename the file, or take them out of "append".',
  ),
  LIBVIRT_FAILED: define(
    1,
    500,
    (d: { what: string; said: string }) =>
      `libvirt did not do it (${d.what}): ${d.said}. Mend what it names; "virsh list --all" shows whether libvirt answers.`,
  ),
  LIBVIRT_NAME_TAKEN: define(
    1,
    409,
    (d: { vm: string; uuid: string }) =>
      `libvirt already has a domain "${d.vm}" that is another VM (UUID ${d.uuid}). It is left alone: rename one of the two.`,
  ),
  GUEST_NOT_RUNNING: define(
    1,
    409,
    (d: { vm: string; status: string }) =>
      `VM "${d.vm}" is not running (${d.status}). Start it with "vsb vm start", or see "vsb vm list".`,
  ),
  GUEST_SILENT: define(
    1,
    504,
    (d: { vm: string; text: string; timeoutMs: number; last: string }) =>
      `VM "${d.vm}" did not print "${d.text}" within ${String(d.timeoutMs)} ms; ` +
      `its last line was: ${d.last === '' ? '(nothing)' : d.last}. Look with "vsb vm console", or raise --timeout.`,
  ),
  GUEST_SOCKET_PATH_TOO_LONG: define(
    1,
    400,
    (d: { path: string; bytes: number; maxBytes: number }) =>
      `The socket's path "${d.path}" has ${String(d.bytes)} bytes, but Linux allows ${String(d.maxBytes)}. ` +
      'Choose a shorter --run-dir (VSB_RUN_DIR), or shorter names in the topology.',
  ),
  QMP_FAILED: define(
    1,
    502,
    (d: { socket: string; command: string; why: string }) =>
      `QEMU did not do "${d.command}" on "${d.socket}": ${d.why}. See "vsb vm list" for whether the guest runs.`,
  ),
  // --- sandbox
  SANDBOX_MISSING: define(
    1,
    404,
    (d: { directory: string }) =>
      `There is no sandbox in "${d.directory}". Start one with: vsb sandbox start --dir ${d.directory}`,
  ),
  SANDBOX_STALE: define(
    1,
    409,
    (d: { directory: string; program: string }) =>
      `The sandbox in "${d.directory}" is not whole: ${d.program} does not run. ` +
      `Start it afresh with: vsb sandbox start --dir ${d.directory}`,
  ),
  SANDBOX_DIFFERS: define(
    1,
    409,
    (d: { directory: string; datapath: string; netns: string | undefined }) =>
      `Another sandbox runs in "${d.directory}" (datapath ${d.datapath}, ` +
      `${d.netns === undefined ? 'no network namespace' : `network namespace "${d.netns}"`}). ` +
      `Stop it first with: vsb sandbox stop --dir ${d.directory}`,
  ),
  SANDBOX_DIRECTORY_FOREIGN: define(
    1,
    409,
    (d: { directory: string; file: string }) =>
      `"${d.directory}" holds files that are not a sandbox's, such as "${d.file}". Name an empty or new directory.`,
  ),
  SANDBOX_PATH_TOO_LONG: define(
    64,
    400,
    (d: { directory: string; maxBytes: number }) =>
      `"${d.directory}" is too long for the sockets in it: at most ${String(d.maxBytes)} bytes. ` +
      'Name a directory with a shorter path.',
  ),
  SANDBOX_NETNS_TAKEN: define(
    1,
    409,
    (d: { netns: string }) =>
      `The network namespace "${d.netns}" is there already, and was not made for this sandbox. ` +
      'Choose another name with --netns.',
  ),
  SANDBOX_BUSY: define(
    1,
    409,
    (d: { directory: string; occupants: readonly string[] }) =>
      `In the sandbox in "${d.directory}" still run: ${d.occupants.join(', ')}. End them first (virtual machines with: ` +
      `vsb vm stop FILE), or end all of it with: vsb sandbox stop --dir ${d.directory} --force`,
  ),
  // --- plan
  PLAN_REFUSED: define(
    1,
    409,
    (d: { topology: string; refusals: readonly string[] }) =>
      `The plan of "${d.topology}" is refused, and nothing was changed:\n${d.refusals.map((text) => `  ${text}`).join('\n')}`,
  ),
  APPLY_BUSY: define(
    1,
    409,
    (d: { remote: string }) =>
      `Another vsb is changing the switch at ${d.remote}, or waits for an answer to do so. Wait for its end, then run it again.`,
  ),
  APPLY_INCOMPLETE: define(
    1,
    500,
    (d: { topology: string; made: number; all: number; why: string }) =>
      `"${d.topology}" is half done: ${String(d.made)} of ${String(d.all)} changes were tried, then: ${d.why} \`vsb apply\` goes on from what is there; \`vsb destroy\` takes it away.`,
  ),
  PLAN_NOT_CONFIRMED: define(
    1,
    400,
    (d: { why: string }) => `Nothing was changed: ${d.why}. Answer "yes", or give --yes.`,
  ),
} as const satisfies Record<string, Definition<never>>;

type Registry = typeof registry;

/** Every error code. */
export type ErrorCode = keyof Registry;
/** What the message of a code needs to know. */
export type ErrorDetails<C extends ErrorCode> = Parameters<Registry[C]['message']>[0];

/** The one error class: a code of the registry, and what its message was made from. */
export class VsbError extends Error {
  override readonly name = 'VsbError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exitStatus: number;
  readonly httpStatus: number;

  constructor(code: ErrorCode, details: Readonly<Record<string, unknown>>, options?: ErrorOptions) {
    const definition = registry[code] as unknown as Definition<Readonly<Record<string, unknown>>>;
    super(definition.message(details), options);
    this.code = code;
    this.details = details;
    this.exitStatus = definition.exit;
    this.httpStatus = definition.http;
  }
}

/** Makes the error of a code: `throw fail('FILE_UNREADABLE', { path, why })`. */
export function fail<C extends ErrorCode>(
  code: C,
  details: ErrorDetails<C>,
  options?: ErrorOptions,
): VsbError {
  return new VsbError(code, details, options);
}

/** All codes with exit and HTTP status, for documentation and its test. */
export function errorCodes(): { code: ErrorCode; exitStatus: number; httpStatus: number }[] {
  return (Object.keys(registry) as ErrorCode[]).map((code) => ({
    code,
    exitStatus: registry[code].exit,
    httpStatus: registry[code].http,
  }));
}

/** Any thrown value as a VsbError: itself where it is one, else `INTERNAL` with the cause kept. */
export function toVsbError(thrown: unknown): VsbError {
  if (thrown instanceof VsbError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return fail('INTERNAL', { what }, { cause: thrown });
}
