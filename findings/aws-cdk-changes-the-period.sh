#!/usr/bin/env bash
# aws-cdk-lib 2.276.0 puts five minutes in the place of a metric's own period in an expression, and drops the period of what a target tracks.
#
# Guess: a metric that was made as the sum of one minute is that sum wherever it is used: `m / 60` is a rate by the second.
# Seen: a MathExpression has a period of its own, five minutes where none is given, and lays it over the metrics that it was made from. 300 s of
#       invocations are divided by 60: the alarm at 10 a second goes off at 2. With scaleToTrackMetric it is the other way round: a metric of five
#       minutes is written without a period, and is tracked by the minute; a target of 300 in five minutes is 300 a minute, five times
#       as much for each instance. Neither warns; the same metric alone in an alarm keeps its period.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit aws-cdk-lib@2.276.0 constructs@10.8.1 >/dev/null
cat > measure.js <<'JS'
const { App, Stack, Duration } = require('aws-cdk-lib')
const { Metric, MathExpression, Alarm } = require('aws-cdk-lib/aws-cloudwatch')
const { ScalableTarget, ServiceNamespace } = require('aws-cdk-lib/aws-applicationautoscaling')

const app = new App({ outdir: 'out' })
const stack = new Stack(app, 'bench')
const sum = (metricName, period) => new Metric({ namespace: 'bench', metricName, statistic: 'Sum', period })
const minute = sum('Invocations', Duration.minutes(1))
const rate = new MathExpression({ expression: 'm / 60', usingMetrics: { m: minute } })
new Alarm(stack, 'Alone', { metric: minute, threshold: 600, evaluationPeriods: 1 })
new Alarm(stack, 'Rate', { metric: rate, threshold: 10, evaluationPeriods: 1 })
new ScalableTarget(stack, 'Instances', {
  serviceNamespace: ServiceNamespace.SAGEMAKER, resourceId: 'endpoint/e/variant/v', scalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  minCapacity: 1, maxCapacity: 4,
}).scaleToTrackMetric('Backlog', { customMetric: sum('Backlog', Duration.minutes(5)), targetValue: 300 })

for (const { Type, Properties } of Object.values(app.synth().getStackByName('bench').template.Resources)) {
  if (Type === 'AWS::CloudWatch::Alarm') {
    const inner = Properties.Metrics?.find(metric => metric.MetricStat)
    console.log(inner ? `alarm on m / 60: period of m ${inner.MetricStat.Period}` : `alarm on the metric alone: period ${Properties.Period}`)
  } else if (Type === 'AWS::ApplicationAutoScaling::ScalingPolicy') {
    console.log('tracked:', JSON.stringify(Properties.TargetTrackingScalingPolicyConfiguration))
  }
}
JS
node measure.js > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
alarm on the metric alone: period 60
alarm on m / 60: period of m 300
tracked: {"CustomizedMetricSpecification":{"MetricName":"Backlog","Namespace":"bench","Statistic":"Sum"},"TargetValue":300}
TXT
cat seen
diff expected seen
