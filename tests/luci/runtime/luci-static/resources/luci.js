/* A small client runtime with the interfaces of LuCI's that the views use: for tests only. Written from a description of
   their behaviour; where a careless view would fail on a router (bare strings are markup, time stamps in addresses,
   evaluated classes, dialogs of a lost session), it fails here. */
'use strict';

(() => {
	const started = document.currentScript;

	/* -- classes ------------------------------------------------------------------------------------------------- */

	class Base {
		static extend(members) {
			const Child = class extends this {};
			Object.defineProperties(Child.prototype, Object.getOwnPropertyDescriptors(members));
			return Child;
		}

		static singleton(members, ...values) {
			return new (this.extend(members))(...values);
		}

		constructor(...values) {
			this.__init__(...values);
		}

		__init__() {}
	}

	/* -- documents ----------------------------------------------------------------------------------------------- */

	const data = new WeakMap();

	const dom = Base.singleton({
		elem: node => node instanceof Node,

		/* A string as such is markup and takes the place of what was there; in an array it is text, and so is an array in it. */
		append(node, children) {
			if (Array.isArray(children))
				node.append(...children.filter(child => child !== null && child !== undefined).map(child => child instanceof Node ? child : String(child)));
			else if (typeof children === 'function')
				this.append(node, children(node));
			else if (children instanceof Node)
				node.append(children);
			else if (children !== null && children !== undefined)
				node.replaceChildren(document.createRange().createContextualFragment(String(children)));
			return node.lastChild;
		},

		content(node, children) {
			node.replaceChildren();
			return this.append(node, children);
		},

		attr(node, name, value) {
			const all = typeof name === 'object' ? name ?? {} : { [name]: value };
			for (const [key, one] of Object.entries(all)) {
				if (one === null || one === undefined)
					node.removeAttribute(key);
				else if (typeof one === 'function')
					node.addEventListener(key, one);
				else
					node.setAttribute(key, typeof one === 'object' ? JSON.stringify(one) : one);
			}
		},

		create(what, ...rest) {
			const attributes = rest[0] && typeof rest[0] === 'object' && !Array.isArray(rest[0]) && !(rest[0] instanceof Node) ? rest.shift() : null;
			const node = what instanceof Node ? what : Array.isArray(what) ? document.createDocumentFragment() : document.createElement(what);
			if (Array.isArray(what))
				this.append(node, what);
			if (attributes)
				this.attr(node, attributes);
			this.append(node, rest[0]);
			return node;
		},

		data(node, key, value) {
			const all = data.get(node) ?? {};
			if (value !== undefined)
				data.set(node, { ...all, [key]: value });
			return key === undefined ? all : value ?? all[key];
		}
	});

	/* -- requests ------------------------------------------------------------------------------------------------ */

	const interceptors = [];

	class Answer {
		constructor(xhr) {
			this.xhr = xhr;
			this.status = xhr.status;
			this.statusText = xhr.statusText;
			this.ok = xhr.status >= 200 && xhr.status <= 299;
			this.headers = { get: name => xhr.getResponseHeader(name) };
		}

		text() { return this.xhr.responseText; }
		json() { return JSON.parse(this.xhr.responseText); }
	}

	const request = Base.singleton({
		expandURL: url => new URL(url, location.href).href,

		async request(target, options = {}) {
			const method = (options.method ?? 'GET').toUpperCase();
			let url = this.expandURL(await target);
			let content = null, kind = null;
			const add = text => { url += (url.includes('?') ? '&' : '?') + text; };
			const query = Object.entries(options.query ?? {})
				.map(pair => pair.filter(part => part !== null && part !== undefined).map(encodeURIComponent).join('=')).join('&');
			if (query && ['GET', 'HEAD', 'POST', 'OPTIONS'].includes(method))
				add(query);
			else if (query)
				[content, kind] = [query, 'application/x-www-form-urlencoded'];
			if (!options.cache)
				add(Date.now());
			if (options.content !== null && options.content !== undefined)
				[content, kind] = typeof options.content === 'object'
					? [JSON.stringify(options.content), 'application/json'] : [String(options.content), kind];
			const answer = await new Promise((resolve, reject) => {
				const xhr = new XMLHttpRequest();
				xhr.open(method, url);
				xhr.timeout = options.timeout ?? 0;
				for (const [name, value] of Object.entries(options.headers ?? {}))
					xhr.setRequestHeader(name, value);
				if (kind)
					xhr.setRequestHeader('Content-Type', kind);
				xhr.onload = () => resolve(new Answer(xhr));
				xhr.onerror = () => reject(new Error('XHR request failed'));
				xhr.ontimeout = () => reject(new Error('XHR request timed out'));
				xhr.send(content);
			});
			for (const interceptor of interceptors)
				await interceptor(answer);
			return answer;
		},

		get(url, options) { return this.request(url, { method: 'GET', ...options }); },
		post(url, content, options) { return this.request(url, { method: 'POST', content, ...options }); },
		addInterceptor(fn) { interceptors.push(fn); return fn; },
		removeInterceptor(fn) { interceptors.splice(interceptors.indexOf(fn), 1); }
	});

	/* -- poll loop ----------------------------------------------------------------------------------------------- */

	const poll = Base.singleton({
		queue: [],

		add(fn, seconds) {
			if (typeof fn !== 'function')
				throw new TypeError('poll.add() wants a function');
			if (this.queue.some(entry => entry.fn === fn))
				return false;
			this.queue.push({ fn, seconds: seconds || L.env.pollinterval, pending: false });
			if (this.ready && !this.active())
				this.start();
			return true;
		},

		remove(fn) {
			const before = this.queue.length;
			this.queue = this.queue.filter(entry => entry.fn !== fn);
			if (!this.queue.length && this.stop())
				this.ready = true;
			return this.queue.length !== before;
		},

		start() {
			if (this.active())
				return false;
			this.ready = true;
			this.tick = 0;
			if (this.queue.length) {
				this.timer = setInterval(() => this.step(), 1000);
				this.step();
				document.dispatchEvent(new CustomEvent('poll-start'));
			}
			return true;
		},

		stop() {
			if (!this.active())
				return false;
			document.dispatchEvent(new CustomEvent('poll-stop'));
			clearInterval(this.timer);
			this.timer = null;
			this.ready = false;
			return true;
		},

		step() {
			for (const entry of this.queue.filter(one => !one.pending && this.tick % one.seconds === 0)) {
				entry.pending = true;
				Promise.resolve(entry.fn()).finally(() => { entry.pending = false; });
			}
			this.tick += 1;
		},

		active() { return (this.timer ?? null) !== null; }
	});

	/* -- views --------------------------------------------------------------------------------------------------- */

	const View = class extends Base {
		async __init__() {
			const place = document.getElementById('view');
			dom.content(place, E('div', { 'class': 'spinning' }, [_('Loading view…')]));
			if (!L.loaded)
				await new Promise(resolve => document.addEventListener('luci-loaded', resolve, { once: true }));
			try {
				dom.content(place, await this.render(await this.load()));
				if (this.handleSave || this.handleSaveApply || this.handleReset)
					place.append(E('div', { 'class': 'cbi-page-actions' }, [_('Save & Apply')]));
			} catch (error) {
				L.error(error);
			}
		}

		load() {}
		render() {}
		handleSave() {}
		handleSaveApply() {}
		handleReset() {}
	};

	/* -- the whole ----------------------------------------------------------------------------------------------- */

	const classes = { baseclass: Base, dom, poll, request, view: View };

	class LuCI {
		constructor(env) {
			this.env = {
				...env,
				resource_version: new URL(started.src).searchParams.get('v'),
				base_url: new URL(started.src).origin,
				cgi_base: env.scriptname.replace(/\/[^/]+$/, '')
			};
			this.loaded = false;
			Object.assign(this, { dom, Poll: poll, Request: request, Class: Base });
			window.L = this;
			this._boot().catch(error => this.error(error));
		}

		async _boot() {
			const [ui, rpc] = await Promise.all([this.require('ui'), this.require('rpc'), this.require('form')]);
			rpc.setBaseURL(this.env.ubuspath);
			request.addInterceptor(answer => {
				if (answer.status === 403 && answer.headers.get('X-LuCI-Login-Required') === 'yes')
					this.notifySessionExpiry();
			});
			document.addEventListener('poll-start', () => ui.showIndicator('poll-status', _('Refreshing'),
				() => poll.active() ? poll.stop() : poll.start()));
			document.addEventListener('poll-stop', () => ui.showIndicator('poll-status', _('Paused'), null, 'inactive'));
			poll.start();
			this.loaded = true;
			document.dispatchEvent(new CustomEvent('luci-loaded'));
		}

		/* A class file is the body of a function, evaluated with its dependencies as parameters. */
		async require(name) {
			classes[name] ??= this._load(name);
			return classes[name];
		}

		async _load(name) {
			const url = `${this.resource(`${name.replaceAll('.', '/')}.js`)}?v=${this.env.resource_version}`;
			const answer = await request.get(url, { cache: true });
			if (!answer.ok)
				this.raise('NetworkError', 'HTTP error %d while loading class file "%s"', answer.status, url);
			const names = [], wanted = [];
			for (const [, one, alias] of answer.text().matchAll(/^'require (\S+?)(?: as (\S+))?';/gm)) {
				names.push(alias ?? one.replace(/[^A-Za-z0-9]/g, '_'));
				wanted.push(this.require(one));
			}
			const values = await Promise.all(wanted);
			const factory = (0, eval)(`(function(window, document, L${names.map(one => `, ${one}`).join('')}) { ${answer.text()} })\n//# sourceURL=${url}`);
			const made = factory(window, document, this, ...values);
			if (typeof made !== 'function' || !(made.prototype instanceof Base))
				this.raise('TypeError', '"%s" factory yields invalid constructor', name);
			return new made();
		}

		notifySessionExpiry() {
			poll.stop();
			this.ui.showModal(_('Session expired'), [E('div', { 'class': 'alert-message warning' }, [_('Log in again.')])]);
			this.raise('SessionError', 'Login session is expired');
		}

		path(prefix, parts) {
			return [prefix, ...parts.filter(part => /^[\w.%,;/-]+$/.test(part))].join('/');
		}

		url(...parts) { return this.path(this.env.scriptname, parts); }
		resource(...parts) { return this.path(this.env.resource, parts); }
		media(...parts) { return this.path(this.env.media, parts); }
		bind(fn, self, ...values) { return fn.bind(self, ...values); }
		isObject(value) { return value !== null && typeof value === 'object'; }
		naturalCompare(a, b) { return String(a).localeCompare(String(b), undefined, { numeric: true }); }
		toArray(value) { return value === null || value === undefined ? [] : Array.isArray(value) ? value : [value]; }
		hasSystemFeature() { return false; }

		/* null: may not see it, false: may look, true: may write. */
		hasViewPermission() {
			return this.env.nodespec?.satisfied ? !this.env.nodespec.readonly : null;
		}

		async resolveDefault(promise, fallback) {
			try {
				return await promise;
			} catch {
				return fallback;
			}
		}

		raise(kind, text, ...values) {
			throw Object.assign(new (window[kind] ?? Error)(text.format(...values)), { name: kind });
		}

		error(error) {
			console.error(error);
			this.ui?.addNotification(null, E('pre', {}, [error.message]), 'danger');
		}
	}

	window.LuCI = LuCI;
	window.E = (...values) => dom.create(...values);
})();
