'use strict';
'require baseclass';
'require dom';
'require request';

let menu = null;

return baseclass.extend({
	__init__() {
		L.ui = this;
		this.menu = {
			load: () => menu ??= request.get(L.url('admin/menu')).then(answer => answer.json()),
			getChildren: node => Object.entries(node?.children ?? {})
				.filter(([, child]) => child.satisfied && child.title)
				.map(([name, child]) => ({ ...child, name }))
				.sort((a, b) => (a.order ?? 1000) - (b.order ?? 1000))
		};
	},

	async instantiateView(path) {
		try {
			return await L.require(`view.${path.replaceAll('/', '.')}`);
		} catch (error) {
			dom.content(document.getElementById('view'), null);
			L.error(error);
		}
	},

	addNotification(title, children, ...classes) {
		const text = E('div');
		const note = E('div', { 'class': ['alert-message', 'fade-in', ...classes].join(' ') }, [
			text, E('button', { 'class': 'btn', 'click': () => note.remove() }, [_('Dismiss')])
		]);
		if (title !== null && title !== undefined)
			dom.append(text, E('h4', {}, title));
		dom.append(text, children);
		document.getElementById('maincontent').prepend(note);
		return note;
	},

	showModal(title, children) {
		this.hideModal();
		document.body.append(E('div', { 'id': 'modal_overlay', 'role': 'dialog' }, [E('div', { 'class': 'modal' }, [E('h4', {}, [title]), ...children])]));
	},

	hideModal() { document.getElementById('modal_overlay')?.remove(); },

	showIndicator(id, label, handler, style = 'active') {
		const place = document.getElementById('indicators');
		let node = place.querySelector(`[data-indicator="${id}"]`);
		if (!node) {
			node = E('span', { 'data-indicator': id });
			node.addEventListener('click', event => node.handler?.(event));
			place.append(node);
		}
		node.handler = handler ?? node.handler;
		node.dataset.style = style;
		node.textContent = label;
	},

	hideIndicator(id) { document.querySelector(`#indicators [data-indicator="${id}"]`)?.remove(); },

	/* The button is disabled and spins until the handler's promise is settled. */
	createHandlerFn(self, fn, ...values) {
		const handler = typeof fn === 'string' ? self[fn] : fn;
		return async event => {
			const button = event.currentTarget;
			button.classList.add('spinning');
			button.disabled = true;
			try {
				return await handler.call(self, ...values, event, button);
			} finally {
				button.classList.remove('spinning');
				button.disabled = false;
			}
		};
	}
});
