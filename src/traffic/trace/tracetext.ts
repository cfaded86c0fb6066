/**
 * The text of `ofproto/trace` (ovs-vswitchd(8), "OFPROTO COMMANDS"; written by ofproto/ofproto-dpif-trace.c) as data.
 * A line that it does not know is an action, at worst. What it means is traceverdict.ts's. Pure.
 */
import { parseDatapathActions, type DatapathActions } from '../datapath/datapathactions.ts';

/** An OpenFlow rule that the packet met. */
export interface TraceStep {
  readonly bridge: string;
  readonly table: number;
  /** As Open vSwitch writes it; empty: any packet. For a table without a rule for the packet: its words for that. */
  readonly match: string;
  /** `undefined` where no rule matched. */
  readonly priority: number | undefined;
  /** 0 where the rule has none. */
  readonly cookie: bigint;
  readonly actions: readonly string[];
  /** What Open vSwitch remarks: `forwarding to learned port`. */
  readonly notes: readonly string[];
}

/** From the packet's coming in, or being taken up again, to what the datapath does with it. */
export interface TracePass {
  /** `recirc(0x6) - resume conntrack …`; `undefined` for the first. */
  readonly resumes: string | undefined;
  readonly flow: string;
  readonly finalFlow: string;
  readonly megaflow: string;
  readonly datapathActions: string;
  readonly does: DatapathActions;
}

export interface ParsedTrace {
  readonly steps: readonly TraceStep[];
  readonly passes: readonly TracePass[];
  /** Why there was no end of it: `Recursion too deep`. */
  readonly failure: string | undefined;
}

interface OpenStep {
  readonly indent: number;
  readonly step: TraceStep & { readonly actions: string[]; readonly notes: string[] };
}

type OpenPass = { -readonly [Key in keyof Omit<TracePass, 'does'>]: TracePass[Key] };

/** Per level; numbers of tables are written two digits wide. */
const INDENT = 4;

/** Reads a trace, whatever it is; a text that is none has no steps and no passes. */
export function parseTrace(text: string): ParsedTrace {
  const steps: OpenStep[] = [];
  const passes: OpenPass[] = [];
  let bridge = '';
  let resumes: string | undefined;
  let failure: string | undefined;
  let isAmongRules = false;
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    const labelled = /^(Flow|Final flow|Megaflow|Datapath actions): (.*)$/.exec(line);
    const table = /^( *)(\d+)\. (.*)$/.exec(line);
    if (labelled) {
      isAmongRules = false;
      fill(passes, labelled[1] ?? '', labelled[2] ?? '', resumes);
    } else if (table) steps.push(toStep(bridge, table[1]?.length ?? 0, Number(table[2]), table[3] ?? ''));
    else if (line.startsWith('bridge("')) {
      isAmongRules = true;
      bridge = line.slice('bridge("'.length, line.lastIndexOf('"'));
    } else if (line.startsWith('recirc(')) resumes = line;
    else if (line.startsWith('Translation failed ('))
      failure = line.slice(line.indexOf('(') + 1, line.lastIndexOf(')'));
    else if (!isAmongRules) continue;
    else if (/^(->|>>)/.test(trimmed)) steps.at(-1)?.step.notes.push(trimmed.replace(/^[->]+ | <+$/g, ''));
    else if (/^ {2,}\S/.test(line)) stepOf(line, steps)?.step.actions.push(trimmed);
  }
  return {
    steps: steps.map(({ step }) => step),
    passes: passes.map((pass) => ({ ...pass, does: parseDatapathActions(pass.datapathActions) })),
    failure,
  };
}

/** After what an action led to, actions go on that are its rule's: less indented than those of the rules between. */
function stepOf(line: string, steps: readonly OpenStep[]): OpenStep | undefined {
  const indent = line.length - line.trimStart().length;
  return steps.findLast((each) => each.indent < indent);
}

function fill(passes: OpenPass[], label: string, text: string, resumes: string | undefined): void {
  if (label === 'Flow')
    passes.push({ resumes, flow: text, finalFlow: text, megaflow: '', datapathActions: '' });
  const pass = passes.at(-1);
  if (!pass) return;
  if (label === 'Final flow' && text !== 'unchanged') pass.finalFlow = text;
  if (label === 'Megaflow') pass.megaflow = text;
  if (label === 'Datapath actions') pass.datapathActions = text;
}

/** `tcp,tp_dst=22, priority 100, cookie 0x77`, `priority 1`, `No match.` */
function toStep(bridge: string, indent: number, table: number, text: string): OpenStep {
  const rule = /^(.*)priority (\d+)(?:, cookie (0x[0-9a-f]+))?$/.exec(text);
  return {
    indent: indent - (indent % INDENT),
    step: {
      bridge,
      table,
      match: rule ? (rule[1] ?? '').replace(/, $/, '') : text,
      priority: rule ? Number(rule[2]) : undefined,
      cookie: BigInt(rule?.[3] ?? 0),
      actions: [],
      notes: [],
    },
  };
}
