/** `vsb trace`: what Open vSwitch would do with a packet from one VM to another. Exit status 0: it gets there; 1: not. */
import { InvalidArgumentError, Option } from 'commander';
import type { SettingFlags } from '../app/settings.ts';
import { toIpAddress, type IpAddress } from '../units/cidr.ts';
import { toMac, type Mac } from '../units/mac.ts';
import { MAX_VLAN_ID, toVlanId } from '../units/vlan.ts';
import { addSwitchOptions, outputOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData, type AddVerb } from './verb.ts';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly output: 'table' | 'json' | 'yaml';
  readonly raw: boolean;
  readonly file?: string;
  readonly fromIp?: IpAddress;
  readonly toIp?: IpAddress;
  readonly fromMac?: Mac;
  readonly toMac?: Mac;
  readonly vlan?: number;
};

export const add: AddVerb = (program) => {
  const command = program
    .command('trace')
    .summary('what Open vSwitch would do with a packet, in VM names')
    .description(
      'Asks Open vSwitch what it would do with a packet (ofproto/trace), and says who would get it, or which rule would ' +
        'drop it. Nothing is sent. Exit status 0: it gets there; 1: it does not.',
    )
    .argument('<from>', 'VM, VM:NIC, device, "uplink" or "host"')
    .argument('<to>', 'the same, "flood" (a broadcast), or an IP address')
    .argument('[match]', 'arp, icmp, ip, tcp/PORT, udp/PORT, sctp/PORT, or fields of ovs-fields(7)', 'icmp')
    .addOption(
      new Option('--file <file>', 'topology that knows the IP addresses of NICs').env('VSB_TRACE_FILE'),
    )
    .addOption(new Option('--from-ip <address>').argParser(toIpOption).env('VSB_TRACE_FROM_IP'))
    .addOption(new Option('--to-ip <address>').argParser(toIpOption).env('VSB_TRACE_TO_IP'))
    .addOption(
      new Option('--from-mac <mac>', "in place of the NIC's own")
        .argParser(toMacOption)
        .env('VSB_TRACE_FROM_MAC'),
    )
    .addOption(
      new Option('--to-mac <mac>', 'for example that of a gateway')
        .argParser(toMacOption)
        .env('VSB_TRACE_TO_MAC'),
    )
    .addOption(
      new Option('--vlan <id>', 'tag that the sender gives, 0 for none (default: what the receiver needs)')
        .argParser(toVlanOption)
        .env('VSB_TRACE_VLAN'),
    )
    .addOption(new Option('--raw', "Open vSwitch's own text").default(false).env('VSB_TRACE_RAW'))
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      '\nExamples:\n  vsb trace web1 db1 tcp/5432 --file lab.vsb.yaml\n' +
        '  vsb trace web1:0 10.1.0.5 udp/53\n  vsb trace web1 uplink icmp --to-mac 02:00:00:00:00:01\n' +
        "  vsb trace web1 db1 -o json | jq '.outcome, .decidedBy'\n",
    );
  addSwitchOptions(command).action((from: string, to: string, match: string, flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [app, { toSettings }, output] = await Promise.all([
        import('../app/trace.ts'),
        import('../app/settings.ts'),
        import('../output/trace.ts'),
      ]);
      const { file, fromIp, toIp, fromMac, toMac, vlan } = flags;
      const ends = { from, to, match, file, fromIp, toIp, fromMac, toMac, vlan };
      const traced = await app.trace({ settings: toSettings(flags), signal: interruptSignal(), ...ends });
      if (flags.raw) writeData(traced.raw);
      else if (flags.output === 'table')
        writeData(output.renderTrace(traced, { colour: isColourful(process.stdout) }));
      else {
        const { renderDocument } = await import('../output/document.ts');
        writeData(renderDocument(output.toTraceDocument(traced), flags.output));
      }
      return traced.outcome === 'delivered' || traced.outcome === 'flooded' ? 0 : 1;
    }),
  );
};

function toIpOption(text: string): IpAddress {
  const address = toIpAddress(text);
  if (!address) throw new InvalidArgumentError('Write an address without prefix length: 10.1.0.11.');
  return address;
}

function toMacOption(text: string): Mac {
  const mac = toMac(text);
  if (mac === undefined) throw new InvalidArgumentError('Write six hex pairs: 52:54:00:10:00:01.');
  return mac;
}

function toVlanOption(text: string): number {
  const id = /^\d{1,4}$/.test(text) ? toVlanId(Number(text)) : undefined;
  if (id === undefined)
    throw new InvalidArgumentError(`Write a whole number from 0 to ${String(MAX_VLAN_ID)}.`);
  return id;
}
