"""Credit checks: what a customer paid before is in SQLite, the model learns from every repayment that is reported."""

import os
import sqlite3

from flask import Flask, g, jsonify, request

from scoring import scorer

app = Flask(__name__)
DATABASE = os.environ.get("DATABASE", "credit.db")


def db():
    if "db" not in g:
        g.db = sqlite3.connect(DATABASE)
        g.db.execute("create table if not exists payments (customer text, amount real, late integer)")
    return g.db


@app.teardown_appcontext
def close(_):
    if "db" in g:
        g.pop("db").close()


def payments(customer):
    rows = db().execute("select amount, late from payments where customer = ? order by rowid desc limit 20", (customer,))
    return rows.fetchall()


@app.get("/health")
def health():
    return jsonify(status="ok", seen=scorer.seen)


@app.post("/customers/<customer>/payments")
def pay(customer):
    data = request.get_json()
    try:
        amount, late = float(data["amount"]), int(data["late"])
    except (KeyError, TypeError, ValueError):
        return jsonify(error="amount and late, please"), 400
    before = payments(customer)
    db().execute("insert into payments values (?, ?, ?)", (customer, amount, late))
    db().commit()
    scorer.learn(before, amount, bool(late))
    return jsonify(seen=scorer.seen), 201


@app.post("/customers/<customer>/check")
def check(customer):
    amount = float(request.get_json()["amount"])
    known = payments(customer)
    try:
        risk = scorer.risk(known, amount)
    except ValueError as error:
        return jsonify(error=str(error)), 422
    return jsonify(customer=customer, risk=round(risk, 6), granted=risk < 0.5, based_on=len(known))
