/** Which of a browser's pages does something that one of them does for all: it has the lease until it gives it back or goes. */

const RENEW_MS = 1000;
const LIFE_MS = 5000;
const SETTLE_MS = 60;

/** By the browser's own locks, which pages have that came over TLS or from this machine. */
class LockLease {
	constructor(name) {
		this._name = name;
	}

	want(granted) {
		this._asking = new AbortController();
		navigator.locks.request(this._name, { signal: this._asking.signal }, () => new Promise(release => {
			this._release = release;
			granted();
		})).catch(() => {}); // given back before it was granted
	}

	give() {
		this._asking?.abort();
		this._release?.();
		this._asking = this._release = null;
	}

	touch() {}
}

/** By an entry in the storage that its holder renews: for pages over plain HTTP, as a router's are. */
class StorageLease {
	constructor(name) {
		this._name = name;
		this._own = Math.random().toString(36).slice(2);
		this._changed = event => { if (event.key === name) this._look(); };
		this._leaves = () => this._drop();
	}

	want(granted, revoked) {
		this._granted = granted;
		this._revoked = revoked;
		this._holds = false;
		window.addEventListener('storage', this._changed);
		window.addEventListener('pagehide', this._leaves);
		this._timer = setInterval(() => this._look(), RENEW_MS);
		this._look();
	}

	give() {
		clearInterval(this._timer);
		clearTimeout(this._settling);
		this._settling = null;
		window.removeEventListener('storage', this._changed);
		window.removeEventListener('pagehide', this._leaves);
		this._drop();
		this._holds = false;
	}

	/** Timers of a page that nobody sees are slow; whatever it does meanwhile renews too. */
	touch() {
		if (this._holds && Date.now() - this._renewedAt > RENEW_MS)
			this._look();
	}

	_read() {
		try {
			const { id, at } = JSON.parse(localStorage.getItem(this._name));
			return Math.abs(Date.now() - at) < LIFE_MS ? id : null; // a clock that was set makes it old too
		} catch {
			return null;
		}
	}

	_write() {
		this._renewedAt = Date.now();
		localStorage.setItem(this._name, JSON.stringify({ id: this._own, at: this._renewedAt }));
	}

	_look() {
		const holder = this._read();
		if (holder && holder !== this._own) {
			clearTimeout(this._settling);
			this._settling = null;
			if (this._holds) {
				this._holds = false;
				this._revoked();
			}
		} else if (this._holds) {
			this._write();
		} else if (!this._settling) { // several may write at once: whose entry is there a moment later has it
			this._write();
			this._settling = setTimeout(() => {
				this._settling = null;
				if (this._read() === this._own) {
					this._holds = true;
					this._granted();
				}
			}, SETTLE_MS * (1 + Math.random()));
		}
	}

	_drop() {
		if (this._read() === this._own)
			localStorage.removeItem(this._name);
	}
}

/** Every page for itself: where the browser keeps pages apart. */
class NoLease {
	want(granted) { granted(); }
	give() {}
	touch() {}
}

function hasStorage() {
	try {
		localStorage.setItem('remsim.try', '1');
		localStorage.removeItem('remsim.try');
		return true;
	} catch {
		return false;
	}
}

/** A lease of this name: `want(granted, revoked)`, `give()`, `touch()` while it is used. `kind` for the diagnosis. */
export function leaseOf(name) {
	if (typeof BroadcastChannel === 'undefined')
		return { lease: new NoLease(), kind: 'none' };
	if (navigator.locks)
		return { lease: new LockLease(name), kind: 'locks' };
	return hasStorage() ? { lease: new StorageLease(name), kind: 'storage' } : { lease: new NoLease(), kind: 'none' };
}
