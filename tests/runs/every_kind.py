"""A protocol with every kind of step that a stirred bench can do, in about two hours of bench time."""

from __future__ import annotations

CAP_HOUR_ML = 45.0
"""Cap on what goes in within an hour: the first hour needs 43 mL of it."""
EVERY_KIND = """
protocol: every-kind
version: "1"
title: Every kind of step, two hours
status: rehearsal
species: none
vessels:
  reactor: {kind: stirred, needs: [temperature, co2, ph, medium in, medium out, waste weight]}
materials:
  medium: {recipe: test medium, keeps: 7 d at 4 degC}
environment:
  hold: {temperature: 37.0 degC}
  end: {temperature: 37.0 degC, co2: 5 %}
stages:
  - stage: Begin
    do:
      - set: {temperature: 37.0 degC, co2: 5 %}
      - wait: {until: temperature within 30 K, for: 10 s, at most: 4 h}
      - hand: Hang a bottle of medium, line over the cup
        acts: [{renew: 250 mL, of: medium}, {line: to cup}]
        lots: [medium]
        takes: 2 min
      - prime: {volume: 8 mL, of: medium, at: 10 mL/min}
        at most: 30 min
      - rinse: {volume: 2 mL, of: medium, at: 10 mL/min, times: 2}
        at most: 30 min
      - hand: Put the line into {reactor}, pour 72 mL of medium in
        acts: [{line: to vessel}, {pour: 72 mL, into: reactor, of: medium}]
        write down: {clear: yes/no}
        takes: 2 min
      - fill: {into: reactor, volume: 8 mL, of: medium, at: 10 mL/min}
        at most: 30 min
      - dose: {into: reactor, volume: 4 mL, of: medium, at: 10 mL/min, split: {into: 2 times, every: 3 min}}
        at most: 10 min
      - if: co2 > 4 %
        then: [{wait: 20 s}]
        else: [{wait: 40 s}]
      - repeat: {do: [{wait: 20 s}], until: temperature > 36 degC, at most: 2 rounds}
      - together:
          - branch: Left
            do: [{wait: 30 s}]
          - branch: Right
            do: [{wait: 60 s}]

  - stage: Culture
    together:
      - operation: Exchange
        every: {interval: 25 min, from: start + 50 min, times: 2, window: ±9 min, never closer than: 9 min}
        do:
          - exchange:
              in: reactor
              withdraw: {to level: 72 mL, at most: 18 mL, at: 5 mL/min}
              then add: {volume: 5 mL, of: medium, at: 10 mL/min}
              drained at most: 45 min
            at most: 60 min
      - operation: Look
        at: start + 65 min
        window: ±1 h
        do:
          - sample: R-{day}
            from: reactor
            take: 1 mL
            results: {glucose: {unit: mmol/L, limits: 0..50}}
            due: 7 d
            takes: 2 min
          - set: {temperature: 37.2 degC over 1 min}

  - stage: Last
    do:
      - withdraw: {from: reactor, to level: 72 mL, at most: 12 mL, at: 5 mL/min}
        at most: 30 min
      - withdraw: {from: reactor, volume: 4 mL, at: 5 mL/min}
        at most: 30 min
      - wait: 5 min
"""
