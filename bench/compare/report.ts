/** The results as Markdown: a table for each figure, who takes part and how, and what to know of it. */
import type { Contender } from './contenders.ts'
import type { Machine } from './machine.ts'
import { leads, OURS, type Failure, type Row } from './results.ts'
import type { Work } from './works.ts'

export interface Report {
  machine: Machine
  rounds: number
  quick: boolean
  roundsPerMs: number
  contenders: Contender[]
  works: Work[]
  rows: Row[]
  failures: Failure[]
}

const table = (head: string[], lines: string[][], right: number[]): string =>
  [head, head.map((_, index) => (right.includes(index) ? '---:' : '---')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

function figure(value: number, unit: Work['unit']): string {
  if (unit === 'jobs/s') return Math.round(value).toLocaleString('en')
  return value.toFixed(value < 10 ? 2 : 1)
}

const percent = (part: number, whole: number): string => `${Math.round((part / whole) * 100)} %`

function rowCells(row: Row, { contenders }: Report): string[] {
  const contender = contenders.find(({ name }) => name === row.contender)
  const theirs = row.ratio === null ? '' : row.ratio.toFixed(2)
  return [
    contender?.title ?? row.contender,
    `${figure(row.median, row.unit)} ${row.unit}`,
    row.rounds.length > 1 ? `± ${percent((row.max - row.min) / 2, row.median)}` : '',
    row.ratio === null || leads(row) ? theirs : `**${theirs}**`,
    howItRan(row),
  ]
}

/** `processes 1` reads badly, and the others are named as their own documentation names them. */
function setting([name, value]: [string, unknown]): string {
  if (name === 'processes' || name === 'threads') {
    return value === 1
      ? `1 ${name === 'threads' ? 'thread' : 'process'}`
      : `${Number(value)} ${name}`
  }
  return `${name} ${JSON.stringify(value)}`
}

const howItRan = ({ count, settings }: Row): string =>
  [`${count.toLocaleString('en')} jobs`, ...Object.entries(settings).map(setting)].join(', ')

function workSection(work: Work, report: Report): string {
  const rows = report.rows.filter((row) => row.work === work.name)
  const figures = [...new Set(rows.map((row) => row.figure))]
  const direction = `${work.unit}, ${work.better} is better`
  const tables = figures.map((name) => {
    const title = figures.length > 1 ? `\n${name}:\n\n` : '\n'
    const lines = rows.filter((row) => row.figure === name).map((row) => rowCells(row, report))
    return `${title}${table(['', 'median', 'spread', 'ours / theirs', 'run with'], lines, [1, 2, 3])}`
  })
  const missing = report.contenders.flatMap(({ title, without, remarks = {} }) =>
    [without[work.name], remarks[work.name]].flatMap((why) => (why ? [`- ${title} ${why}.`] : [])),
  )
  return [
    `### ${work.name}: ${work.title} (${direction})`,
    ...tables,
    ...(work.note ? [`\n${work.note}`] : []),
    ...(missing.length > 0 ? [`\nNot here:\n\n${missing.join('\n')}`] : []),
  ].join('\n')
}

function standing(rows: Row[], contenders: Contender[]): string {
  const compared = rows.filter(({ ratio }) => ratio !== null)
  if (compared.length === 0) return 'Nothing was compared.'
  const behind = compared.filter((row) => !leads(row))
  if (behind.length === 0) return 'Heddle is ahead in every figure above.'
  const lines = behind.map((row) => {
    const title = contenders.find(({ name }) => name === row.contender)?.title ?? row.contender
    return `- ${row.work}, ${row.figure}: ${title}, ours / theirs ${row.ratio?.toFixed(2)}`
  })
  return `Heddle is behind in ${behind.length} of ${compared.length} comparisons (in bold above):\n\n${lines.join('\n')}`
}

const facts = (of: Record<string, string>): string =>
  Object.entries(of)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

function conditions({ machine, rounds, quick, roundsPerMs }: Report): string {
  const { cpus, cores, memoryGb, node, postgres, commitMs, redis } = machine
  return [
    `- machine: ${cores} cores (${cpus}), ${memoryGb} GB, Node ${node}; servers, contenders and this runner share it`,
    `- PostgreSQL: ${facts(postgres)}; a commit of one row takes ${commitMs.toFixed(2)} ms`,
    `- Redis: ${facts(redis)}`,
    `- ${rounds} round${rounds === 1 ? '' : 's'}, medians; 1 ms of CPU is ${roundsPerMs.toLocaleString('en')} rounds of the loop`,
    ...(quick ? ['- **--quick: too few jobs to quote**'] : []),
  ].join('\n')
}

const takingPart = ({ contenders, machine }: Report): string =>
  table(
    ['', 'version', 'stores in', 'runs jobs', 'keeps of a completed job'],
    contenders.map((each) => [
      each.title,
      machine.versions[each.package ?? OURS] ?? '?',
      each.needs.map((name) => (name === 'redis' ? 'Redis' : 'PostgreSQL')).join() || 'nothing',
      each.runs,
      each.keeps,
    ]),
    [],
  )

export function toMarkdown(report: Report): string {
  const { failures, rows, works, contenders } = report
  return [
    '## Heddle and its peers',
    conditions(report),
    takingPart(report),
    ...works.map((work) => workSection(work, report)),
    '### Where Heddle stands',
    standing(rows, contenders),
    ...(failures.length > 0
      ? [
          '### What failed',
          failures
            .map(({ work, contender, reason }) => `- ${contender} at ${work}: ${reason}`)
            .join('\n'),
        ]
      : []),
  ].join('\n\n')
}
