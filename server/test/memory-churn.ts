/**
 * Started by `freed-memory.test.ts`: takes and frees what orders of large payloads take, again and again, and prints
 * for which share of it the system had to give a page anew.
 */
import { keepFreedMemory } from '../src/workers/freed-memory.ts'

const BLOCKS = 6
const BLOCK_BYTES = 4 * 1024 * 1024
const PAGE_BYTES = 4096
const ROUNDS = 10

function churn(): void {
  for (let block = 0; block < BLOCKS; block += 1) new Uint8Array(BLOCK_BYTES).fill(1)
  globalThis.gc?.()
}
const faults = (): number => process.resourceUsage().minorPageFault

keepFreedMemory()
for (let round = 0; round < ROUNDS; round += 1) churn()
const before = faults()
for (let round = 0; round < ROUNDS; round += 1) churn()
const pages = (ROUNDS * BLOCKS * BLOCK_BYTES) / PAGE_BYTES
process.stdout.write(String((faults() - before) / pages))
