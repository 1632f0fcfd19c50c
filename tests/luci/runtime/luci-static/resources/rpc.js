'use strict';
'require baseclass';
'require request';

/* Calls of one tick travel in one POST, and are answered one after the other. */
let base = '/ubus/', id = 1, waiting = [];

async function flush() {
	const batch = waiting;
	waiting = [];
	const messages = batch.map(call => call.message);
	try {
		const answers = await (await request.post(base, messages.length > 1 ? messages : messages[0], { timeout: 20000 })).json();
		for (const answer of Array.isArray(answers) ? answers : [answers])
			batch.find(call => call.message.id === answer.id).resolve(answer);
	} catch (error) {
		batch.forEach(call => call.reject(error));
	}
}

return baseclass.extend({
	setBaseURL(url) { base = url; },
	getBaseURL() { return base; },

	declare({ object, method, params = [], expect = {}, filter, reject }) {
		return async (...given) => {
			const values = params.length ? Object.fromEntries(params.map((name, at) => [name, given[at]])) : given[0] ?? {};
			const answer = await new Promise((resolve, fail) => {
				if (!waiting.length)
					queueMicrotask(flush);
				waiting.push({ resolve, reject: fail, message: { jsonrpc: '2.0', id: id++, method: 'call', params: [L.env.sessionid, object, method, values] } });
			});
			if (answer.error)
				L.raise('RPCError', 'RPC call to %s/%s failed with error %d: %s', object, method, answer.error.code, answer.error.message);
			const [status, content] = answer.result;
			if (reject && status !== 0)
				L.raise('RPCError', 'RPC call to %s/%s failed with ubus code %d', object, method, status);
			const [[name, fallback] = ['', undefined]] = Object.entries(expect);
			let value = content ?? status;
			if (name)
				value = value?.[name];
			if (fallback !== undefined && Object.prototype.toString.call(value) !== Object.prototype.toString.call(fallback))
				value = fallback;
			return filter ? filter(value, given) : value;
		};
	}
});
