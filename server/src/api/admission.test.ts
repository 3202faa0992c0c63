import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createAdmission } from './admission.ts'

describe('admission', () => {
  it('lets in as many requests as it may, and the next when one has been answered', () => {
    const admit = createAdmission({ maxRequests: 2, maxBytes: 100 })
    const first = new EventEmitter()
    expect(admit(first, undefined)).toBe(true)
    expect(admit(new EventEmitter(), undefined)).toBe(true)
    expect(admit(new EventEmitter(), undefined)).toBe(false)
    first.emit('close')
    expect(admit(new EventEmitter(), undefined)).toBe(true)
  })

  it('lets in as many bytes as it may, and small requests beside a large one', () => {
    const admit = createAdmission({ maxRequests: 100, maxBytes: 100 })
    const large = new EventEmitter()
    expect(admit(large, '90')).toBe(true)
    expect(admit(new EventEmitter(), '10')).toBe(true)
    expect(admit(new EventEmitter(), '1')).toBe(false)
    expect(admit(new EventEmitter(), undefined)).toBe(true)
    large.emit('close')
    expect(admit(new EventEmitter(), '90')).toBe(true)
  })

  it('never refuses a request for its size alone', () => {
    const admit = createAdmission({ maxRequests: 2, maxBytes: 100 })
    expect(admit(new EventEmitter(), '1000')).toBe(true)
  })
})
