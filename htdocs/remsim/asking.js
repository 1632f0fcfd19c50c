/** Requests of a page, a few at a time; those of a question that nobody asks any more are let go. */

const AT_ONCE = 3;

export class Asking {
	constructor(request) {
		this._request = request;
		this._queue = [];
		this._running = 0;
		this._generation = 0;
	}

	/** Begin anew: what was asked before is answered with null. Returns whether this is still the last question. */
	begin() {
		const generation = ++this._generation;
		this._queue.splice(0).forEach(({ resolve }) => resolve(null));
		return () => generation === this._generation;
	}

	/** The answer; {error} with a sentence when there is none; null when something else is asked by now. */
	ask(path, query = {}) {
		return this.run(request => request(path, { query }));
	}

	/** The same for `work(request)`. */
	run(work) {
		const generation = this._generation;
		return new Promise(resolve => {
			this._queue.push({ work, resolve: answer => resolve(generation === this._generation ? answer : null) });
			this._drain();
		});
	}

	async _drain() {
		if (this._running >= AT_ONCE || !this._queue.length)
			return;
		const { work, resolve } = this._queue.shift();
		this._running += 1;
		try {
			resolve(await work(this._request));
		} catch (error) {
			resolve({ error: error.message });
		}
		this._running -= 1;
		this._drain();
	}
}
