/** For `bench/dispatch.ts`: what its bare thread does. */
export default ({ jobIds, payloads }) => ({
  jobIds,
  results: payloads.map((payload) => {
    const { a, b } = JSON.parse(payload)
    return JSON.stringify(a + b)
  }),
})
