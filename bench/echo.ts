// The peer of the process executor: answers each message.
process.on('message', () => process.send?.({ usage: undefined, words: 0 }))
