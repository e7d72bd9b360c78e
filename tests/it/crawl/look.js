// What every page must hold at the width it has now (WCAG 2.2: 1.3.1, 1.4.10, 2.4.2, 2.5.8, 3.1.1, 4.1.2), and what must not
// be on it. `wanted` has: width, lang, ids (of messages), words (of the other language), first (whether it was just loaded).
// Gives the faults as a list of texts.
(wanted) => {
    const faults = [], all = it => [...document.querySelectorAll(it)];
    const shown = it => it.checkVisibility() && !it.closest('.trap, .skip, .unseen');
    if (document.documentElement.lang !== wanted.lang) faults.push('lang is ' + document.documentElement.lang);
    if (!/\S – \S/.test(document.title)) faults.push('title: ' + document.title);
    if (all('h1').length !== 1) faults.push(all('h1').length + ' h1');
    if (all('main').length !== 1) faults.push('no main');
    if (all('script:not([src]), style, [style], [onclick]').length) faults.push('inline script or style');
    const ids = all('[id]').map(it => it.id);
    for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('twice #' + id);
    for (const it of all('input:not([type=hidden]), select, textarea'))
        if (!it.labels.length && !it.getAttribute('aria-label')) faults.push('no label: ' + it.name);
    for (const it of all('[aria-describedby]'))
        for (const id of it.getAttribute('aria-describedby').split(' '))
            if (!document.getElementById(id)) faults.push('describedby nothing: ' + id);
    for (const it of all('a')) {
        const href = it.getAttribute('href');
        if (!href) faults.push('link without a place: ' + it.textContent);
        else if (href.startsWith('#') && !document.getElementById(href.slice(1))) faults.push('link to nothing: ' + href);
        if (!it.textContent.trim()) faults.push('empty link: ' + href);
    }
    for (const it of all('form'))
        if (it.method === 'post' && !it.querySelector('input[name=csrf]')) faults.push('form without its token: ' + it.action);
    for (const it of all('button, a.button, input:not([type=hidden], [type=radio], [type=checkbox]), select, label.choice'))
        if (shown(it) && !it.matches('.link') && it.getBoundingClientRect().height < 43.5)
            faults.push('small target: ' + (it.name || it.textContent.trim()) + ' ' + it.getBoundingClientRect().height);
    for (const it of all('[tabindex]')) if (it.tabIndex > 0) faults.push('order of the keyboard changed: ' + it.outerHTML.slice(0, 60));
    const wide = document.documentElement.scrollWidth;
    if (wide > wanted.width) {
        const far = all('main *, header *, footer *, nav *').filter(it => it.getBoundingClientRect().right > wanted.width + 1 && !it.closest('.scroll'));
        faults.push('wider than ' + wanted.width + ': ' + wide + ' ' + (far[0] ? far[0].outerHTML.slice(0, 120) : ''));
    }
    if (wanted.first) {
        const loaded = performance.getEntriesByType('resource');
        const bytes = [...loaded, ...performance.getEntriesByType('navigation')].reduce((sum, it) => sum + it.encodedBodySize, 0);
        if (loaded.length > 5 || bytes > 100000) faults.push(loaded.length + 1 + ' requests, ' + bytes + ' bytes');
        for (const it of loaded) if (!it.name.startsWith(location.origin)) faults.push('from elsewhere: ' + it.name);
    }
    // Words: what is code, a name, or what somebody else wrote in a list is no text of ours.
    const text = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const at = walker.currentNode.parentElement;
        if (!at.closest('code, pre, script, textarea, [hreflang], .me, .data') && at.closest('[lang]').lang === wanted.lang) text.push(walker.currentNode.data);
    }
    for (const it of all('[aria-label], [title], [placeholder], [alt], [data-label]'))
        if (it.closest('[lang]').lang === wanted.lang)
            for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-label']) if (it.hasAttribute(name)) text.push(it.getAttribute(name));
    const said = text.join('\n').replace(/\u2068|\u2069/g, '');
    for (const raw of said.match(/undefined|\bNaN\b|\{ ?\$|\[object|\bnull\b|\bSome\(|\bNone\b|&[a-z]+;/g) ?? []) faults.push('raw: ' + raw);
    const tokens = new Set(said.match(/[A-Za-z0-9_.@:\/-]+/g) ?? []);
    const messages = new Set(wanted.ids), others = new Set(wanted.words);
    for (const token of tokens) {
        if (messages.has(token)) faults.push('a message id: ' + token);
        else if (/^[a-z]+(_[a-z]+)+$/.test(token)) faults.push('a raw word: ' + token);
        const word = token.replace(/^[.:\/-]+|[.:\/-]+$/g, '');
        if (/^[A-Za-z]+$/.test(word) && others.has(word.toLowerCase())) faults.push('of the other language: ' + word);
    }
    return faults;
}
