// The room table is data (scripts/rooms.json); every rule below is made from it.
const rooms = require('./scripts/rooms.json');

const pathOf = (room) =>
  ['errors', 'domain', 'index'].includes(room) ? `^src/${room}\\.ts$` : `^src/${room}/`;

const roomRules = Object.entries(rooms).map(([room, mayImport]) => ({
  name: `room-${room}`,
  comment: `${room} may import only: ${mayImport.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: pathOf(room) },
  to: { path: '^src/', pathNot: [pathOf(room), ...mayImport.map(pathOf)] },
}));

// The floors of ovsdb/, lowest first: each stands on those below it.
const floors = ['schema', 'replica', 'transaction', 'client'];
const floorRules = floors.map((floor, index) => ({
  name: `ovsdb-${floor}`,
  comment: `ovsdb/${floor} may import only the floors below it`,
  severity: 'error',
  from: { path: `^src/ovsdb/${floor}/` },
  to: { path: [...floors.slice(index + 1).map((above) => `^src/ovsdb/${above}/`), '^src/ovsdb/index'] },
}));

const everyRoom = Object.keys(rooms).map(pathOf).join('|');

const only = (what, path, owner) => ({
  name: `only-${what}`,
  comment: `${owner} is the only place that may import ${what}`,
  severity: 'error',
  from: { path: '^src/', pathNot: owner },
  to: { path },
});

module.exports = {
  forbidden: [
    ...roomRules,
    ...floorRules,
    {
      name: 'no-room',
      comment: 'every file belongs to a room of scripts/rooms.json',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: everyRoom },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('winston', '^node_modules/winston', '^src/app/'),
    only('jsonrpc-lite', '^node_modules/jsonrpc-lite', '^src/jsonrpc/envelope\\.ts$'),
    only('ip-cidr', '^node_modules/ip-cidr', '^src/units/cidr\\.ts$'),
    only('child_process', '^(node:)?child_process$', '^src/process/'),
    only('js-yaml', '^node_modules/js-yaml', '^src/(topology/yaml|output/document)\\.ts$'),
    {
      name: 'pure',
      comment: 'these do no I/O: what they need comes in as arguments',
      severity: 'error',
      from: {
        path: [
          '^src/(units|output|filter|netflow|ipfix|sflow|topology)/',
          '^src/traffic/(averages|rates)\\.ts$',
          '^src/jsonrpc/(framing|reconnect)\\.ts$',
          '^src/openflow/codec\\.ts$',
          '^src/switch/[^/]*diff\\.ts$',
          '^src/host/(diff|notes|obstacles|specs|commands)\\.ts$',
        ],
      },
      to: { path: '^(node:)?(fs|fs/promises|net|tls|http|https|dgram|dns|os|child_process|worker_threads)$' },
    },
    only('commander', '^node_modules/commander', '^src/cli/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node'] },
  },
};
