/**
 * Just below the 32 MiB up to which glibc goes by it (`DEFAULT_MMAP_THRESHOLD_MAX`, mallopt(3) under
 * M_MMAP_THRESHOLD): several times the payloads of an order.
 */
const BLOCK_BYTES = 31 * 1024 * 1024

/**
 * From here on, what this process frees stays with it for what comes next.
 *
 * Payloads of some MB cross it all the time. glibc gives their memory back to the system, and each page of the next
 * ones is a fault again. It does so less, the larger the largest block was that it has mapped and freed so far: from
 * then on it maps larger ones only, and keeps twice as much at the end of its heap. So this has one such block freed,
 * by the next collection of young objects. It is never touched, and takes no memory. Other C libraries do not go by
 * that, and to them it is nothing.
 */
export function keepFreedMemory(): void {
  void new ArrayBuffer(BLOCK_BYTES)
}
